//! The state shared by all requests: received notifications, injected failures, heartbeat and metrics.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::json;
use tokio::time::Instant;

use crate::config::Config;
use crate::heartbeat::Heartbeat;
use crate::metrics::Metrics;
use crate::receivers::message::{FIRING, Message, RESOLVED};
use crate::store::failure::{Failure, Failures};
use crate::store::heartbeat;
use crate::store::history::History;
use crate::store::journal::{Journal, JournalError};
use crate::store::lease::Lease;
use clients::inbox::{Channel, NotifiedAlert};

/// The state shared by all requests.
pub struct State {
    started: Timestamp,
    received: Mutex<Received>,
    failures: Mutex<Failures>,
    lease: Mutex<Lease>,
    heartbeat: Mutex<Heartbeat>,
    data_dir: Option<PathBuf>,
    metrics: Metrics,
    pub(crate) proofs: Option<PathBuf>,
    pub(crate) runbooks: Option<PathBuf>,
}

/// Received notifications.
pub struct Received {
    pub(crate) history: History,
    journal: Option<Journal>,
    /// Why the last notification could not be saved, if so.
    save_error: Option<String>,
    /// Why the last change of the heartbeat could not be saved, if so.
    heartbeat_save_error: Option<String>,
}

/// Locks a mutex. Each change under these locks is atomic, so the data is consistent even after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn open(config: &Config) -> Result<Self, JournalError> {
        let (journal, history) = match &config.data_dir {
            Some(dir) => {
                Journal::open(dir, config.limits).map(|(journal, history)| (Some(journal), history))?
            }
            None => (None, History::new(config.limits)),
        };
        let received = Received { history, journal, save_error: None, heartbeat_save_error: None };
        let kept = config.data_dir.as_deref().and_then(heartbeat::read);
        let started = Timestamp::now();
        let heartbeat = Heartbeat::new(config.heartbeat_limit, kept, started);
        let metrics = Metrics::new(started);
        metrics.heartbeat(&heartbeat);
        Ok(Self {
            started,
            received: Mutex::new(received),
            failures: Mutex::default(),
            lease: Mutex::default(),
            heartbeat: Mutex::new(heartbeat),
            data_dir: config.data_dir.clone(),
            metrics,
            proofs: config.proofs.clone(),
            runbooks: config.runbooks.clone(),
        })
    }

    pub(crate) fn started(&self) -> Timestamp {
        self.started
    }

    pub(crate) fn received(&self) -> MutexGuard<'_, Received> {
        lock(&self.received)
    }

    pub(crate) fn lease(&self) -> MutexGuard<'_, Lease> {
        lock(&self.lease)
    }

    pub(crate) fn failures(&self) -> MutexGuard<'_, Failures> {
        lock(&self.failures)
    }

    pub(crate) fn heartbeat(&self) -> MutexGuard<'_, Heartbeat> {
        lock(&self.heartbeat)
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Counts a rejected message.
    pub fn refused(&self, channel: Channel) {
        self.metrics.bad_requests.with_label_values(&[channel.name()]).inc();
    }

    /// The current failure of the channel, which is also counted.
    pub fn failure(&self, channel: Channel) -> Option<(Failure, Instant)> {
        let failure = self.failures().of(channel);
        if failure.is_some() {
            self.metrics.failed.with_label_values(&[channel.name()]).inc();
        }
        failure
    }

    /// Stores a message. Of heartbeats, only the recovery is stored.
    pub fn accept(&self, channel: Channel, message: Message) {
        self.metrics.notifications.with_label_values(&[channel.name(), message.status]).inc();
        if channel == Channel::Heartbeat {
            self.metrics.heartbeats.inc();
            let back = self.heartbeat().beat(Timestamp::now());
            if back.is_some() {
                self.received().add(channel, heartbeat_message(RESOLVED, "heartbeat received again"));
            }
            self.save_heartbeat();
            return;
        }
        self.received().add(channel, message);
    }

    /// Checks whether the heartbeat has stopped. Must be called regularly.
    pub fn look(&self) {
        let stopped = self.heartbeat().look(Timestamp::now());
        if stopped.is_some() {
            let limit = common::duration::format(self.heartbeat().limit());
            let text = format!(
                "no heartbeat for {limit}: Prometheus, Alertmanager or the connection to the inbox is down"
            );
            self.received().add(Channel::Heartbeat, heartbeat_message(FIRING, &text));
            self.save_heartbeat();
        }
    }

    /// Saves the heartbeat after the notification was stored. If the inbox is killed in between, the change is reported
    /// twice rather than never.
    fn save_heartbeat(&self) {
        let heartbeat = self.heartbeat();
        self.metrics.heartbeat(&heartbeat);
        if let Some(dir) = &self.data_dir {
            let failed = heartbeat::write(dir, &heartbeat).err().map(|error| error.to_string());
            self.received().heartbeat_save_error = failed;
        }
    }
}

/// A notification by the inbox itself about the heartbeat.
fn heartbeat_message(status: &'static str, text: &str) -> Message {
    let alert =
        NotifiedAlert { alert: "Watchdog".to_owned(), status: status.to_owned(), ..NotifiedAlert::default() };
    Message { status, alerts: vec![alert], body: json!({"text": text}) }
}

impl Received {
    /// Why the last change could not be saved, if so.
    pub fn save_error(&self) -> Option<&str> {
        self.save_error.as_deref().or(self.heartbeat_save_error.as_deref())
    }

    fn add(&mut self, channel: Channel, message: Message) {
        let added = self.history.add(channel, message, Timestamp::now()).clone();
        let Some(journal) = &mut self.journal else { return };
        self.save_error = journal.append(&added, &self.history).err().map(|error| error.to_string());
    }
}
