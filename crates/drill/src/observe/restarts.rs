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
    let replicated = [systems.prometheus.replicas() > 1, systems.alertmanager.replicas() > 1, false];
    let all: [(_, _, Vec<Result<_, SystemError>>); 3] = [
        ("Prometheus", "prometheus", prometheus),
        ("Alertmanager", "alertmanager", alertmanager),
        ("the inbox", "inbox", vec![inbox]),
    ];
    for ((system, service, started), replicated) in all.into_iter().zip(replicated) {
        if cause.restarts(service) {
            continue;
        }
        for started in started {
            let restart = |at, gone| Restart { system, at, forgets: service == "inbox", gone };
            match started {
                Ok(Some(at)) if at > clock::before(since, EARLY) => {
                    log.append(Event::Noted(Moment { at, what: format!("{system} was started") }));
                    log.append(Event::Restarted(restart(at, false)));
                }
                Ok(_) => {}
                // One of several: the others respond instead of it.
                Err(error) if replicated && error.is_silence() => {
                    let at = Timestamp::now();
                    log.append(Event::Noted(Moment { at, what: error.to_string() }));
                    log.append(Event::Restarted(restart(at, true)));
                }
                // A system that does not respond has failed other queries already, which are counted as gaps.
                Err(_) => {}
            }
        }
    }
}
