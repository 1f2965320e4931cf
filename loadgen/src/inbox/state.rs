//! What all requests share: the book of what arrived, who is to fail, the heartbeat, the counters.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::json;
use tokio::time::Instant;

use super::Config;
use super::channel::{Channel, FIRING, Message, RESOLVED};
use super::failing::{Failing, Failure};
use super::heartbeat::Heartbeat;
use super::history::History;
use super::journal::{Journal, JournalError};
use super::lasting::Lasting;
use super::metrics::Metrics;
use crate::systems::inbox::NotifiedAlert;

/// What all requests share.
pub(super) struct State {
    book: Mutex<Book>,
    failing: Mutex<Failing>,
    heartbeat: Mutex<Heartbeat>,
    lasting: Option<Lasting>,
    metrics: Metrics,
    pub(super) proofs: Option<PathBuf>,
    pub(super) runbooks: Option<PathBuf>,
}

/// What arrived.
pub(super) struct Book {
    pub(super) history: History,
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
    pub(super) fn open(config: &Config) -> Result<Self, JournalError> {
        let (journal, history) = match &config.data_dir {
            Some(dir) => Journal::open(dir, config.limits).map(|(journal, held)| (Some(journal), held))?,
            None => (None, History::new(config.limits)),
        };
        let book = Book { history, journal, not_kept: None, heartbeat_not_kept: None };
        let lasting = config.data_dir.as_deref().map(Lasting::new);
        let kept = lasting.as_ref().and_then(Lasting::read);
        let heartbeat = Heartbeat::new(config.heartbeat_limit, kept, Timestamp::now());
        let metrics = Metrics::new();
        metrics.heartbeat(&heartbeat);
        Ok(Self {
            book: Mutex::new(book),
            failing: Mutex::default(),
            heartbeat: Mutex::new(heartbeat),
            lasting,
            metrics,
            proofs: config.proofs.clone(),
            runbooks: config.runbooks.clone(),
        })
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    pub(super) fn failing(&self) -> MutexGuard<'_, Failing> {
        lock(&self.failing)
    }

    pub(super) fn heartbeat(&self) -> MutexGuard<'_, Heartbeat> {
        lock(&self.heartbeat)
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Counts a body that was not taken.
    pub(super) fn refused(&self, channel: Channel) {
        self.metrics.bad_requests.with_label_values(&[channel.name()]).inc();
    }

    /// How the channel is to fail now, counting that it does.
    pub(super) fn failure(&self, channel: Channel) -> Option<(Failure, Instant)> {
        let failure = self.failing().of(channel);
        if failure.is_some() {
            self.metrics.failed.with_label_values(&[channel.name()]).inc();
        }
        failure
    }

    /// Takes a message in; of heartbeats only the news that they are back.
    pub(super) fn accept(&self, channel: Channel, message: Message) {
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
    pub(super) fn look(&self) {
        let stopped = self.heartbeat().look(Timestamp::now());
        if stopped.is_some() {
            let limit = crate::duration::format(self.heartbeat().limit());
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
        if let Some(lasting) = &self.lasting {
            let failed = lasting.write(&heartbeat).err().map(|error| error.to_string());
            self.book().heartbeat_not_kept = failed;
        }
    }
}

/// What the inbox itself says of the heartbeat.
fn heartbeat_message(status: &'static str, text: &str) -> Message {
    let alert = NotifiedAlert {
        alert: "Watchdog".to_owned(),
        status: status.to_owned(),
        heading: None,
        fingerprint: None,
        starts_at: None,
        ends_at: None,
        labels: crate::systems::prometheus::Labels::new(),
    };
    Message { status, alerts: vec![alert], body: json!({"text": text}) }
}

impl Book {
    /// Why something of what should be on disk is not, if so.
    pub(super) fn not_kept(&self) -> Option<&str> {
        self.not_kept.as_deref().or(self.heartbeat_not_kept.as_deref())
    }

    fn add(&mut self, channel: Channel, message: Message) {
        let added = self.history.add(channel, message, Timestamp::now()).clone();
        let Some(journal) = &mut self.journal else { return };
        self.not_kept = journal.append(&added, &self.history).err().map(|error| error.to_string());
    }
}
