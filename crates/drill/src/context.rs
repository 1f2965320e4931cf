//! The context of a drill: its systems, file, log and progress.

use std::time::Duration;

use tokio::time::sleep;

use crate::causes::undo_list::UndoList;
use crate::error::DrillError;
use crate::file::drill::Drill;
use crate::file::suite::Suite;
use crate::progress::Progress;
use crate::record::log::Log;
use crate::record::stage::Stage;
use clients::SystemError;
use clients::alertmanager::Alertmanagers;
use clients::backend::Backend;
use clients::inbox::{HeartbeatState, Inbox, Listing};
use jiff::Timestamp;

const POLL: Duration = Duration::from_millis(500);

/// Everything the phases of a drill share.
#[derive(Debug)]
pub struct Context<'a> {
    /// The systems of the stack.
    pub systems: &'a Systems,
    /// What has to be undone on the stack, and its URLs.
    pub undo_list: &'a UndoList,
    /// The drill.
    pub drill: &'a Drill,
    /// Records what happens in the drill.
    pub log: &'a Log,
    /// The suite, which names the ambient alerts.
    pub suite: &'a Suite,
    /// Shows the current stage to the user.
    pub progress: &'a Progress,
    /// Whether this is the run's first drill on the stack: alerts active at its start were not caused by a drill.
    pub first: bool,
    /// Factor by which the stack's durations are divided.
    pub scale: f64,
}

impl Context<'_> {
    /// The URL to which load is sent.
    #[must_use]
    pub fn target(&self) -> &url::Url {
        &self.undo_list.stack().target
    }

    /// Enters `stage`, which began at `since`.
    pub fn enter(&self, stage: Stage, since: Timestamp) {
        self.log.enter(stage, since);
        self.progress.show(&self.log.case());
    }

    /// Records what is being waited for, and waits until the next poll.
    pub async fn wait(&self, what: &str) {
        self.log.waiting(what);
        sleep(POLL).await;
    }
}

/// The systems of a stack that a drill queries.
#[derive(Debug, Clone)]
pub struct Systems {
    /// Evaluates rules and stores samples: Prometheus, or what has its API.
    pub prometheus: Backend,
    /// Routes alerts and sends notifications.
    pub alertmanager: Alertmanagers,
    /// Receives notifications; without an inbox, delivery is read from Alertmanager's counters.
    pub inbox: Option<Inbox>,
}

impl Systems {
    /// The notifications with an id above `after`; empty without an inbox.
    ///
    /// # Errors
    /// The inbox does not respond, or its response cannot be read.
    pub async fn arrived(&self, after: u64) -> Result<Listing, SystemError> {
        match &self.inbox {
            Some(inbox) => inbox.notifications(after).await,
            None => Ok(Listing::default()),
        }
    }

    /// The id of the newest notification so far; 0 without an inbox.
    ///
    /// # Errors
    /// The inbox does not respond, or its response cannot be read.
    pub async fn position(&self) -> Result<Listing, SystemError> {
        match &self.inbox {
            Some(inbox) => inbox.position().await,
            None => Ok(Listing::default()),
        }
    }

    /// The heartbeat state, as the inbox sees it.
    ///
    /// # Errors
    /// There is no inbox, it does not respond, or its response cannot be read.
    pub async fn heartbeat(&self) -> Result<HeartbeatState, DrillError> {
        let none =
            || DrillError::Stack("no inbox is configured to watch the heartbeat: set --inbox URL".to_owned());
        Ok(self.inbox.as_ref().ok_or_else(none)?.heartbeat().await?)
    }
}
