//! Causes: applied for real, and undone on every way out.
//!
//! Traffic stops when its handle is dropped. Whatever outlives this process (faults, stopped services, commands,
//! failing receivers) is promised to [`undoing`] before it is done.

pub mod applied;
pub mod leftovers;
pub mod renewal;
pub mod stack;
pub mod traffic;
pub mod undo;
pub mod undo_list;

use crate::error::DrillError;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, json};

use crate::causes::applied::Applied;
use crate::causes::renewal::{Passing, Renewal};
use crate::causes::undo::Undo;
use crate::causes::undo_list::UndoList;
use crate::file::cause::{Cause, InboxFailure};
use crate::timing::clock;
use load::engine::{self, Running};
use load::spec::load::LoadSpec;

/// How long answers in flight are waited for when load is stopped.
pub const GRACE: Duration = Duration::from_secs(2);

/// A cause that is being applied. Dropping it stops its traffic; the rest is undone by [`UndoList::undo_all`].
#[derive(Debug)]
pub struct Caused {
    load: Option<(Running, LoadSpec, Timestamp)>,
    renewing: Option<Renewal>,
}

/// Whether this cause has traffic of its own, or none, in place of the baseline's.
#[must_use]
pub fn replaces_baseline(cause: &Cause) -> bool {
    cause.load.is_some() || cause.idle
}

/// The id that a drill's fault has at the gateway, which takes letters, digits, `-` and `_`, at most 40 of them.
#[must_use]
pub fn fault_id(drill: &str) -> String {
    let taken = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    format!("drill-{drill}").chars().map(taken).take(40).collect()
}

/// Applies a cause. What expires by itself does so after `ttl`, or is renewed until then; `settle` is how long a restarted service is left
/// running before the next restart.
///
/// # Errors
/// When a part of it cannot be done; the parts before it stay promised to `undoing`.
pub async fn apply(
    undoing: &UndoList,
    name: &str,
    cause: &Cause,
    ttl: Duration,
    settle: Duration,
) -> Result<Caused, DrillError> {
    let place = undoing.place();
    let mut passing = Vec::new();
    for (channel, failure) in &cause.inbox {
        undoing.promise(Undo::Inbox(channel.name().to_owned()))?;
        let (field, value) = match failure {
            InboxFailure::Status(status) => ("status", json!(status)),
            InboxFailure::Hang => ("hang", json!(true)),
        };
        let how = Map::from_iter([(field.to_owned(), value)]);
        passing.push(Passing::Inbox(channel.name().to_owned(), how));
    }
    if let Some(fault) = &cause.fault {
        let id = fault_id(name);
        undoing.promise(Undo::Fault(id.clone()))?;
        passing.push(Passing::Fault(id, fault.0.clone()));
    }
    for one in &passing {
        one.put(place, ttl.min(renewal::LONGEST)).await?;
    }
    let every = renewal::every(ttl, renewal::LONGEST).filter(|_| !passing.is_empty());
    let renewing = every.map(|every| Renewal::start(place.clone(), passing, every));
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
            let running = engine::start_endless(&place.target, load)
                .map_err(|error| DrillError::Cause(error.to_string()))?;
            Some((running, load.clone(), Timestamp::now()))
        }
        None => None,
    };
    Ok(Caused { load, renewing })
}

impl Caused {
    /// Its traffic, where it sends any.
    #[must_use]
    pub fn traffic(&self) -> Option<&Running> {
        self.load.as_ref().map(|(running, ..)| running)
    }

    /// Stops the traffic and says what the generator did; the rest is for [`UndoList::undo_all`].
    pub async fn lift(self) -> Option<Applied> {
        if let Some(renewing) = self.renewing {
            renewing.stop().await;
        }
        let (running, load, since) = self.load?;
        let seconds = clock::seconds(since, Timestamp::now());
        let record = running.stop(GRACE).await;
        Some(Applied::new(&load, &record.ledger, &record.statuses, seconds))
    }
}
