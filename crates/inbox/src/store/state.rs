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
use common::allowed_hosts::AllowedHosts;

/// The state shared by all requests.
pub struct State {
    started: Timestamp,
    received: Mutex<Received>,
    failures: Mutex<Failures>,
    lease: Mutex<Lease>,
    heartbeat: Mutex<Heartbeat>,
    data_dir: Option<PathBuf>,
    metrics: Metrics,
    pub(crate) allowed_hosts: AllowedHosts,
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
            allowed_hosts: config.allowed_hosts.clone(),
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
    ///
    /// # Errors
    /// When it cannot be saved. It is then not in the history, and the sender has to repeat it.
    pub fn accept(&self, channel: Channel, message: Message) -> Result<(), JournalError> {
        let status = message.status;
        if channel == Channel::Heartbeat {
            let recovered = || heartbeat_message(RESOLVED, "heartbeat received again");
            self.change_heartbeat(|heartbeat, now| heartbeat.beat(now).map(|_| recovered()))?;
            self.metrics.heartbeats.inc();
            self.save_heartbeat();
        } else {
            self.received().add(channel, message)?;
        }
        self.metrics.notifications.with_label_values(&[channel.name(), status]).inc();
        Ok(())
    }

    /// Checks whether the heartbeat has stopped. Must be called regularly.
    pub fn look(&self) {
        let stopped = self.change_heartbeat(|heartbeat, now| {
            let limit = common::duration::format(heartbeat.limit());
            heartbeat.look(now).map(|_| {
                heartbeat_message(FIRING, &format!(
                    "no heartbeat for {limit}: Prometheus, Alertmanager or the connection to the inbox is down"
                ))
            })
        });
        // If it could not be saved, /readyz says so, and the next call tries again.
        if stopped.is_ok_and(|reported| reported) {
            self.save_heartbeat();
        }
    }

    /// Changes the heartbeat and stores the resulting notification, or does neither. Returns whether there was one.
    fn change_heartbeat(
        &self,
        change: impl FnOnce(&mut Heartbeat, Timestamp) -> Option<Message>,
    ) -> Result<bool, JournalError> {
        let mut heartbeat = self.heartbeat();
        let mut next = heartbeat.clone();
        let message = change(&mut next, Timestamp::now());
        let reported = message.is_some();
        if let Some(message) = message {
            self.received().add(Channel::Heartbeat, message)?;
        }
        *heartbeat = next;
        Ok(reported)
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
    Message { status, alerts: vec![alert], body: json!({"text": text}).into() }
}

impl Received {
    /// Why the last change could not be saved, if so.
    pub fn save_error(&self) -> Option<&str> {
        self.save_error.as_deref().or(self.heartbeat_save_error.as_deref())
    }

    /// Adds a message to the journal, then to the history.
    fn add(&mut self, channel: Channel, message: Message) -> Result<(), JournalError> {
        let entry = self.history.entry(channel, message, Timestamp::now());
        if let Some(journal) = &mut self.journal {
            let saved = journal.append(&entry, &self.history);
            self.save_error = saved.as_ref().err().map(ToString::to_string);
            saved?;
        }
        self.history.push(entry);
        Ok(())
    }
}
