//! Systems that were restarted during the drill: evidence from around a restart is incomplete.

use std::time::Duration;

use jiff::Timestamp;

use crate::context::Systems;
use crate::file::cause::Cause;
use crate::record::event::{Event, Moment, Restart};
use crate::record::log::Log;
use crate::timing::clock;
use clients::SystemError;

/// Start times are derived from the kernel's boot time, which may be a second early.
const EARLY: Duration = Duration::from_secs(1);

/// Records which systems started after `since`, except a service that the cause itself stops.
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
        // A system that does not respond has failed other queries already, which are counted as gaps.
        let Ok(Some(at)) = started else { continue };
        if at > clock::before(since, EARLY) && !cause.restarts(service) {
            log.append(Event::Noted(Moment { at, what: format!("{system} was started") }));
            log.append(Event::Restarted(Restart { system, at, forgets: service == "inbox" }));
        }
    }
}
