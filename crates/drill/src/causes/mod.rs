//! Causes: applied for real, and undone however the drill ends.
//!
//! Traffic stops when its handle is dropped. Everything that outlives this process (faults, stopped services, commands,
//! failing receivers) is recorded in [`undo_list`] before it is done.

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

/// How long to wait for outstanding responses when load is stopped.
pub const GRACE: Duration = Duration::from_secs(2);

/// A cause in effect. Dropping it stops its traffic; [`UndoList::undo_all`] undoes the rest.
#[derive(Debug)]
pub struct Caused {
    load: Option<(Running, LoadSpec, Timestamp)>,
    renewing: Option<Renewal>,
}

/// Whether the cause replaces the baseline, with traffic of its own or with none.
#[must_use]
pub fn replaces_baseline(cause: &Cause) -> bool {
    cause.load.is_some() || cause.idle
}

/// The ID of a drill's fault at the gateway, which accepts letters, digits, `-` and `_`, at most 40 of them.
#[must_use]
pub fn fault_id(drill: &str) -> String {
    let taken = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    format!("drill-{drill}").chars().map(taken).take(40).collect()
}

/// Applies a cause. Its parts that expire by themselves last for `ttl`, by renewal if need be; `settle` is how long a
/// restarted service is left running before the next restart.
///
/// # Errors
/// A part of the cause cannot be applied; the earlier parts stay recorded in `undo_list`.
pub async fn apply(
    undo_list: &UndoList,
    name: &str,
    cause: &Cause,
    ttl: Duration,
    settle: Duration,
) -> Result<Caused, DrillError> {
    let stack = undo_list.stack();
    let mut passing = Vec::new();
    for (channel, failure) in &cause.inbox {
        undo_list.promise(Undo::Inbox(channel.name().to_owned()))?;
        let (field, value) = match failure {
            InboxFailure::Status(status) => ("status", json!(status)),
            InboxFailure::Hang => ("hang", json!(true)),
        };
        let how = Map::from_iter([(field.to_owned(), value)]);
        passing.push(Passing::Inbox(channel.name().to_owned(), how));
    }
    if let Some(fault) = &cause.fault {
        let id = fault_id(name);
        undo_list.promise(Undo::Fault(id.clone()))?;
        passing.push(Passing::Fault(id, fault.0.clone()));
    }
    for one in &passing {
        one.put(stack, ttl.min(renewal::LONGEST)).await?;
    }
    let every = renewal::every(ttl, renewal::LONGEST).filter(|_| !passing.is_empty());
    let renewing = every.map(|every| Renewal::start(stack.clone(), passing, every));
    if let Some(run) = &cause.run {
        if !run.undo.is_empty() {
            undo_list.promise(Undo::Run(run.undo.clone()))?;
        }
        if run.hold {
            undo_list.hold(stack.hold(&run.start)?);
        } else {
            stack.run(&run.start).await?;
        }
    }
    if let Some(service) = &cause.pause {
        undo_list.promise(Undo::Unpause(service.clone()))?;
        stack.order("pause", service).await?;
    }
    if let Some(service) = &cause.stop {
        undo_list.promise(Undo::Start(service.clone()))?;
        stack.order("stop", service).await?;
    }
    if let Some(restart) = &cause.restart {
        undo_list.promise(Undo::Start(restart.name.clone()))?;
        for time in 0..restart.times {
            if time > 0 {
                tokio::time::sleep(settle).await;
            }
            stack.order("restart", &restart.name).await?;
        }
    }
    let load = match &cause.load {
        Some(load) => {
            let running = engine::start_endless(&stack.target, load)
                .map_err(|error| DrillError::Cause(error.to_string()))?;
            Some((running, load.clone(), Timestamp::now()))
        }
        None => None,
    };
    Ok(Caused { load, renewing })
}

impl Caused {
    /// The traffic of the cause, if it sends any.
    #[must_use]
    pub fn traffic(&self) -> Option<&Running> {
        self.load.as_ref().map(|(running, ..)| running)
    }

    /// Stops the traffic and returns what the generator measured; [`UndoList::undo_all`] undoes the rest.
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
