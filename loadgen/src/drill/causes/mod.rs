//! Causes: applied for real, and undone on every way out.
//!
//! Traffic stops when its handle is dropped. Whatever outlives this process (faults, stopped services, commands,
//! failing receivers) is promised to [`undoing`] before it is done.

pub mod place;
pub mod spec;
pub mod undo;
pub mod undoing;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use self::spec::{Cause, InboxFailure};
use self::undo::Undo;
use self::undoing::Undoing;
use super::clock;
use super::record::Applied;
use crate::duration;
use crate::run::engine::{self, Running};
use crate::systems::gateway::Gateway;

/// How long answers in flight are waited for when load is stopped.
pub const GRACE: Duration = Duration::from_secs(2);
/// The longest a fault may last, the gateway's own default bound.
const LONGEST: Duration = Duration::from_secs(3_600);

/// A cause that is being applied. Dropping it stops its traffic; the rest is undone by [`Undoing::undo_all`].
#[derive(Debug)]
pub struct Caused {
    load: Option<(Running, f64, Timestamp)>,
}

/// Whether this cause has traffic of its own, or none, in place of the baseline's.
#[must_use]
pub fn replaces_baseline(cause: &Cause) -> bool {
    cause.load.is_some() || cause.idle
}

/// Applies a cause. What expires by itself does so after `ttl`; `settle` is how long a restarted service is left
/// running before the next restart.
///
/// # Errors
/// When a part of it cannot be done; the parts before it stay promised to `undoing`.
pub async fn apply(
    undoing: &Undoing,
    name: &str,
    cause: &Cause,
    ttl: Duration,
    settle: Duration,
) -> Result<Caused, String> {
    let place = undoing.place();
    let ttl = ttl.min(LONGEST);
    for (channel, failure) in &cause.inbox {
        undoing.promise(Undo::Inbox(channel.name().to_owned()))?;
        let inbox = place.inbox()?;
        let mut how = json!({"ttl": duration::format(ttl)});
        match failure {
            InboxFailure::Status(status) => how["status"] = json!(status),
            InboxFailure::Hang => how["hang"] = json!(true),
        }
        inbox.fail(channel.name(), &how).await.map_err(|error| error.to_string())?;
    }
    if let Some(fault) = &cause.fault {
        let id = format!("drill-{name}");
        undoing.promise(Undo::Fault(id.clone()))?;
        let mut fault = fault.clone();
        fault.insert("ttl".to_owned(), json!(duration::format(ttl)));
        let gateway = Gateway::new(&place.admin, &place.http).map_err(|error| error.to_string())?;
        gateway.put_fault(&id, &Value::Object(fault)).await.map_err(|error| error.to_string())?;
    }
    if let Some(run) = &cause.run {
        if !run.undo.is_empty() {
            undoing.promise(Undo::Run(run.undo.clone()))?;
        }
        if run.hold {
            undoing.hold(place.hold(&run.start)?);
        } else {
            place.run(&run.start).await?;
        }
    }
    if let Some(service) = &cause.pause {
        undoing.promise(Undo::Unpause(service.clone()))?;
        place.order("pause", service).await?;
    }
    if let Some(service) = &cause.stop {
        undoing.promise(Undo::Start(service.clone()))?;
        place.order("stop", service).await?;
    }
    if let Some(restart) = &cause.restart {
        undoing.promise(Undo::Start(restart.name.clone()))?;
        for time in 0..restart.times {
            if time > 0 {
                tokio::time::sleep(settle).await;
            }
            place.order("restart", &restart.name).await?;
        }
    }
    let load = match &cause.load {
        Some(load) => {
            let running = engine::start_endless(&place.target, load)?;
            Some((running, load.rate.per_second(), Timestamp::now()))
        }
        None => None,
    };
    Ok(Caused { load })
}

impl Caused {
    /// Its traffic, where it sends any.
    #[must_use]
    pub fn traffic(&self) -> Option<&Running> {
        self.load.as_ref().map(|(running, ..)| running)
    }

    /// Stops the traffic and says what the generator did; the rest is for [`Undoing::undo_all`].
    pub async fn lift(self) -> Option<Applied> {
        let (running, rate, since) = self.load?;
        let seconds = clock::seconds(since, Timestamp::now());
        let ledger = running.stop(GRACE).await.ledger;
        let answers = ledger.expected + ledger.unexpected;
        Some(Applied {
            stated_rate: rate,
            achieved_rate: if seconds > 0.0 { answers as f64 / seconds } else { 0.0 },
            seconds,
            unexpected: ledger.unexpected,
            transport_errors: ledger.transport_errors,
            // What is accounted for nowhere, or twice, is the generator's fault, too.
            own_errors: ledger.local_errors + ledger.shed + ledger.scheduled.abs_diff(ledger.accounted()),
        })
    }
}
