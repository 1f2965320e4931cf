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
use super::metrics::Metrics;
use crate::systems::inbox::NotifiedAlert;

/// What all requests share.
pub(super) struct State {
    book: Mutex<Book>,
    failing: Mutex<Failing>,
    heartbeat: Mutex<Heartbeat>,
    metrics: Metrics,
    pub(super) proofs: Option<PathBuf>,
    pub(super) runbooks: Option<PathBuf>,
}

/// What arrived.
pub(super) struct Book {
    pub(super) history: History,
    journal: Option<Journal>,
    /// Why the last notification is not on disk, when it is not.
    pub(super) not_kept: Option<String>,
}

/// Every change behind these locks is whole by itself, so one that panicked left it usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(super) fn open(config: &Config) -> Result<Self, JournalError> {
        let capacity = config.capacity.max(1);
        let (journal, earlier) = match &config.data_dir {
            Some(dir) => Journal::open(dir, capacity).map(|(journal, earlier)| (Some(journal), earlier))?,
            None => (None, Vec::new()),
        };
        let book = Book { history: History::new(capacity, earlier), journal, not_kept: None };
        Ok(Self {
            book: Mutex::new(book),
            failing: Mutex::default(),
            heartbeat: Mutex::new(Heartbeat::new(config.heartbeat_limit)),
            metrics: Metrics::new(),
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
            let now = Timestamp::now();
            self.metrics.heartbeats.inc();
            self.metrics.last_heartbeat.set(now.as_millisecond() as f64 / 1000.0);
            self.metrics.heartbeat_up.set(1);
            if self.heartbeat().beat(now).is_some() {
                self.book().add(channel, heartbeat_message(RESOLVED, "the heartbeat is back"));
            }
            return;
        }
        self.book().add(channel, message);
    }

    /// Looks whether the heartbeat has stopped; to be called every so often.
    pub(super) fn look(&self) {
        let mut heartbeat = self.heartbeat();
        if heartbeat.look(Timestamp::now()).is_some() {
            self.metrics.heartbeat_up.set(0);
            let limit = crate::duration::format(heartbeat.limit());
            drop(heartbeat);
            let text =
                format!("no heartbeat for {limit}: Prometheus, Alertmanager or the way here is broken");
            self.book().add(Channel::Heartbeat, heartbeat_message(FIRING, &text));
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
    fn add(&mut self, channel: Channel, message: Message) {
        let added = self.history.add(channel, message, Timestamp::now()).clone();
        let Some(journal) = &mut self.journal else { return };
        let capacity = self.history.capacity();
        self.not_kept = journal
            .append(&added, capacity, self.history.after(0, capacity))
            .err()
            .map(|error| error.to_string());
    }
}
