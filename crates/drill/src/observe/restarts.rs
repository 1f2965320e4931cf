//! Systems that were started anew while they were watched: what they would have seen, sent or received meanwhile is not in
//! the evidence.

use std::time::Duration;

use jiff::Timestamp;

use crate::context::Systems;
use crate::file::cause::Cause;
use crate::record::event::{Event, Moment, Restart};
use crate::record::log::Log;
use crate::timing::clock;
use clients::SystemError;

/// Start times come from the kernel's, which may be a second early.
const EARLY: Duration = Duration::from_secs(1);

/// Writes down which of the systems started after `since`; one that the cause itself stops is not among them.
pub async fn collect(systems: &Systems, cause: &Cause, since: Timestamp, log: &Log) {
    let inbox = async {
        match &systems.inbox {
            Some(inbox) => inbox.started().await,
            None => Ok(None),
        }
    };
    let (prometheus, alertmanager, inbox) =
        tokio::join!(systems.prometheus.started(), systems.alertmanager.started(), inbox);
    for (system, service, started) in [
        ("Prometheus", "prometheus", prometheus),
        ("Alertmanager", "alertmanager", alertmanager),
        ("the inbox", "inbox", inbox),
    ] {
        let started: Result<_, SystemError> = started;
        // One that does not answer, or does not say, has been asked for everything else in vain as well.
        let Ok(Some(at)) = started else { continue };
        if at > clock::before(since, EARLY) && !cause.restarts(service) {
            log.append(Event::Noted(Moment { at, what: format!("{system} was started") }));
            log.append(Event::Restarted(Restart { system, at, forgets: service == "inbox" }));
        }
    }
}
