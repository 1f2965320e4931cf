//! What a drill runs with.

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
use clients::alertmanager::Alertmanager;
use clients::inbox::{HeartbeatState, Inbox, Listing};
use clients::prometheus::Prometheus;
use jiff::Timestamp;

const POLL: Duration = Duration::from_millis(500);

/// What a drill runs with.
#[derive(Debug)]
pub struct Context<'a> {
    /// The systems under proof.
    pub systems: &'a Systems,
    /// What has to be undone, and where causes act.
    pub undoing: &'a UndoList,
    /// The drill.
    pub drill: &'a Drill,
    /// Where what happens in it is written down.
    pub log: &'a Log,
    /// Ambient alerts.
    pub suite: &'a Suite,
    /// Shows where the run is.
    pub progress: &'a Progress,
    /// Whether no drill of this run went before on this stack: what is active then was not caused by one.
    pub first: bool,
    /// By how much the stack's durations are divided.
    pub scale: f64,
}

impl Context<'_> {
    /// Where load is sent.
    #[must_use]
    pub fn target(&self) -> &url::Url {
        &self.undoing.place().target
    }

    /// Goes on to `stage`, which began at `since`.
    pub fn enter(&self, stage: Stage, since: Timestamp) {
        self.log.enter(stage, since);
        self.progress.show(&self.log.case());
    }

    /// Writes down what is waited for, and lets some time pass.
    pub async fn wait(&self, what: &str) {
        self.log.waiting(what);
        sleep(POLL).await;
    }
}

/// The systems under proof.
#[derive(Debug, Clone)]
pub struct Systems {
    /// Scrapes and evaluates.
    pub prometheus: Prometheus,
    /// Routes and notifies.
    pub alertmanager: Alertmanager,
    /// Receives; without one, delivery is counted by Alertmanager.
    pub inbox: Option<Inbox>,
}

impl Systems {
    /// Notifications with an id above `after`; none without an inbox.
    ///
    /// # Errors
    /// When the inbox cannot be asked or understood.
    pub async fn arrived(&self, after: u64) -> Result<Listing, SystemError> {
        match &self.inbox {
            Some(inbox) => inbox.notifications(after).await,
            None => Ok(Listing::default()),
        }
    }

    /// The heartbeat, as the inbox watches it.
    ///
    /// # Errors
    /// When there is no inbox, or it cannot be asked or understood.
    pub async fn heartbeat(&self) -> Result<HeartbeatState, DrillError> {
        let none = || DrillError::Stack("there is no inbox that would watch the heartbeat".to_owned());
        Ok(self.inbox.as_ref().ok_or_else(none)?.heartbeat().await?)
    }
}
