//! What all requests share: the book of what arrived, who is to fail, the heartbeat, the counters.

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

/// What all requests share.
pub struct State {
    started: Timestamp,
    book: Mutex<Book>,
    failures: Mutex<Failures>,
    lease: Mutex<Lease>,
    heartbeat: Mutex<Heartbeat>,
    data_dir: Option<PathBuf>,
    metrics: Metrics,
    pub(crate) proofs: Option<PathBuf>,
    pub(crate) runbooks: Option<PathBuf>,
}

/// What arrived.
pub struct Book {
    pub(crate) history: History,
    journal: Option<Journal>,
    /// Why the last notification is not on disk, when it is not.
    not_kept: Option<String>,
    /// And the last change of the heartbeat.
    heartbeat_not_kept: Option<String>,
}

/// Every change behind these locks is whole by itself, so one that panicked left it usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn open(config: &Config) -> Result<Self, JournalError> {
        let (journal, history) = match &config.data_dir {
            Some(dir) => Journal::open(dir, config.limits).map(|(journal, held)| (Some(journal), held))?,
            None => (None, History::new(config.limits)),
        };
        let book = Book { history, journal, not_kept: None, heartbeat_not_kept: None };
        let kept = config.data_dir.as_deref().and_then(heartbeat::read);
        let started = Timestamp::now();
        let heartbeat = Heartbeat::new(config.heartbeat_limit, kept, started);
        let metrics = Metrics::new(started);
        metrics.heartbeat(&heartbeat);
        Ok(Self {
            started,
            book: Mutex::new(book),
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

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
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

    /// Counts a body that was not taken.
    pub fn refused(&self, channel: Channel) {
        self.metrics.bad_requests.with_label_values(&[channel.name()]).inc();
    }

    /// How the channel is to fail now, counting that it does.
    pub fn failure(&self, channel: Channel) -> Option<(Failure, Instant)> {
        let failure = self.failures().of(channel);
        if failure.is_some() {
            self.metrics.failed.with_label_values(&[channel.name()]).inc();
        }
        failure
    }

    /// Takes a message in; of heartbeats only the news that they are back.
    pub fn accept(&self, channel: Channel, message: Message) {
        self.metrics.notifications.with_label_values(&[channel.name(), message.status]).inc();
        if channel == Channel::Heartbeat {
            self.metrics.heartbeats.inc();
            let back = self.heartbeat().beat(Timestamp::now());
            if back.is_some() {
                self.book().add(channel, heartbeat_message(RESOLVED, "the heartbeat is back"));
            }
            self.keep_heartbeat();
            return;
        }
        self.book().add(channel, message);
    }

    /// Looks whether the heartbeat has stopped; to be called every so often.
    pub fn look(&self) {
        let stopped = self.heartbeat().look(Timestamp::now());
        if stopped.is_some() {
            let limit = common::duration::format(self.heartbeat().limit());
            let text =
                format!("no heartbeat for {limit}: Prometheus, Alertmanager or the way here is broken");
            self.book().add(Channel::Heartbeat, heartbeat_message(FIRING, &text));
            self.keep_heartbeat();
        }
    }

    /// Once the news is in the book: one that is told twice, when the inbox is killed in between, is better than one that
    /// is never told.
    fn keep_heartbeat(&self) {
        let heartbeat = self.heartbeat();
        self.metrics.heartbeat(&heartbeat);
        if let Some(dir) = &self.data_dir {
            let failed = heartbeat::write(dir, &heartbeat).err().map(|error| error.to_string());
            self.book().heartbeat_not_kept = failed;
        }
    }
}

/// What the inbox itself says of the heartbeat.
fn heartbeat_message(status: &'static str, text: &str) -> Message {
    let alert =
        NotifiedAlert { alert: "Watchdog".to_owned(), status: status.to_owned(), ..NotifiedAlert::default() };
    Message { status, alerts: vec![alert], body: json!({"text": text}) }
}

impl Book {
    /// Why something of what should be on disk is not, if so.
    pub fn not_kept(&self) -> Option<&str> {
        self.not_kept.as_deref().or(self.heartbeat_not_kept.as_deref())
    }

    fn add(&mut self, channel: Channel, message: Message) {
        let added = self.history.add(channel, message, Timestamp::now()).clone();
        let Some(journal) = &mut self.journal else { return };
        self.not_kept = journal.append(&added, &self.history).err().map(|error| error.to_string());
    }
}
