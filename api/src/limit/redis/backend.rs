//! The shared backend: one script, one round trip, one deadline per decision.
//!
//! Connections come from `deadpool-redis`, whose pool gives the connect time-outs, and are then held and shared:
//! a checkout per request would cost a PING each. A background task (`watch.rs`), never a request, probes and reconnects.

use super::{
    breaker::Breaker,
    connection::{Connection, Source},
    script::{Reply, ScriptCheck, Scripts},
    thread_connection::{self, Found, Of},
    url::{RedisUrl, RedisUrlError},
};
use crate::telemetry::Metrics;
use parking_lot::RwLock;
use redis::RedisError;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};

/// How to reach Redis and how long to wait for it.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `redis://…`, `redis+sentinel://…` or `redis+cluster://…`.
    pub url: String,
    /// Longest wait for one decision.
    pub deadline: Duration,
    /// Start of every key.
    pub prefix: String,
}

/// Redis as the backend of rate limits.
pub struct RedisBackend {
    pub(super) source: Source,
    pub(super) scripts: Scripts,
    pub(super) settings: RedisSettings,
    connection: RwLock<Option<Connection>>,
    /// Tells the backends of a process apart.
    number: u64,
    /// Tells gateways apart that share a Redis.
    pub(super) name: String,
    /// Connections held so far; a thread's own is good as long as this stands.
    epoch: AtomicU64,
    times_found: AtomicU64,
    pub(super) breaker: Breaker,
    instances: AtomicU64,
    /// The breaker's clock starts here.
    born: Instant,
    /// There is something to look at before the next heartbeat: the breaker opened, or a decision failed.
    pub(super) woken: Notify,
    metrics: Metrics,
}

/// `rate_limit_backend_up` and `rate_limit_instances` are vectors only so that they are absent without a Redis.
const NO_LABELS: &[&str] = &[];

/// Why Redis did not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// No answer in time; perhaps the next one comes.
    Timeout,
    /// The connection is of no more use.
    Connection,
    /// An answer that is no decision: out of memory, read-only, loading, without its cluster.
    Response,
}

impl Failure {
    const ALL: [Self; 3] = [Self::Timeout, Self::Connection, Self::Response];

    pub(super) fn of(error: &RedisError) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_io_error() || error.is_unrecoverable_error() {
            Self::Connection
        } else {
            Self::Response
        }
    }

    /// The `kind` label.
    fn label(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Response => "response",
        }
    }
}

impl RedisBackend {
    /// Prepares a backend; nothing is connected yet, and requests are not sent to it before the first probe.
    ///
    /// # Errors
    /// When the URL is not a Redis URL.
    pub fn new(settings: RedisSettings, metrics: Metrics) -> Result<Arc<Self>, RedisUrlError> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let source = Source::new(RedisUrl::parse(&settings.url)?, settings.deadline)?;
        metrics.limit_backend_up.with_label_values(NO_LABELS).set(0);
        metrics.limit_instances.with_label_values(NO_LABELS).set(1);
        for failure in Failure::ALL {
            metrics.limit_backend_errors.with_label_values(&[failure.label()]);
        }
        Ok(Arc::new(Self {
            source,
            scripts: Scripts::new(),
            settings,
            connection: RwLock::new(None),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            name: uuid::Uuid::new_v4().simple().to_string(),
            epoch: AtomicU64::new(0),
            times_found: AtomicU64::new(0),
            breaker: Breaker::open(),
            instances: AtomicU64::new(1),
            born: Instant::now(),
            woken: Notify::new(),
            metrics,
        }))
    }

    /// Whether requests are sent to Redis now.
    pub fn is_up(&self) -> bool {
        self.breaker.is_closed()
    }

    /// Start of every key.
    pub fn prefix(&self) -> &str {
        &self.settings.prefix
    }

    /// Another number: perhaps another Redis, or an empty one.
    pub fn times_found(&self) -> u64 {
        self.times_found.load(Ordering::Relaxed)
    }

    /// Gateways that shared this Redis when it was last asked, this one included.
    pub fn instances(&self) -> u64 {
        self.instances.load(Ordering::Relaxed)
    }

    pub(super) fn saw(&self, instances: u64) {
        let instances = instances.max(1);
        self.instances.store(instances, Ordering::Relaxed);
        self.metrics.limit_instances.with_label_values(NO_LABELS).set(instances as i64);
    }

    /// Decides one request by all the given policies at once. `None` when Redis cannot say within the deadline; the
    /// caller then decides by itself.
    pub async fn decide(self: &Arc<Self>, batch: &[ScriptCheck]) -> Option<Reply> {
        let mut connection = self.nearest_connection()?;
        match timeout(self.settings.deadline, self.scripts.decide(&mut connection, batch)).await {
            Ok(Ok(reply)) => {
                self.breaker.succeeded();
                thread_connection::on_time();
                Some(reply)
            }
            Ok(Err(error)) => {
                self.failed(Failure::of(&error), &error);
                None
            }
            Err(_) => {
                thread_connection::late(self.own());
                self.failed(Failure::Timeout, "no answer within the deadline");
                None
            }
        }
    }

    pub(super) fn connection(&self) -> Option<Connection> {
        if !self.breaker.is_closed() {
            return None;
        }
        self.connection.read().clone()
    }

    /// This thread's own connection, the shared one until that stands.
    fn nearest_connection(self: &Arc<Self>) -> Option<Connection> {
        if !self.breaker.is_closed() {
            return None;
        }
        match thread_connection::find(self.own()) {
            Found::Ready(own) => return Some(own),
            Found::Absent => {}
            Found::Wanted(place) => {
                let backend = self.clone();
                // On the runtime of the thread that asks, which from then on drives the connection.
                tokio::spawn(async move {
                    match backend.establish().await {
                        Ok(connection) => _ = place.set(connection),
                        Err(reason) => tracing::debug!(%reason, "a thread stays with the shared connection"),
                    }
                });
            }
        }
        self.connection()
    }

    fn own(&self) -> Of {
        Of { backend: self.number, epoch: self.epoch.load(Ordering::Acquire) }
    }

    pub(super) fn replace_connection(&self, connection: Option<Connection>) {
        *self.connection.write() = connection;
        self.epoch.fetch_add(1, Ordering::Release);
    }

    /// Counts a failure, which may open the breaker and has the background task look in any case.
    fn failed(&self, failure: Failure, reason: impl fmt::Display) {
        self.metrics.limit_backend_errors.with_label_values(&[failure.label()]).inc();
        if self.breaker.failed(failure == Failure::Connection, self.born.elapsed()) {
            self.opened(failure, reason);
        }
        self.woken.notify_one();
    }

    /// Opens the breaker, whatever the requests met.
    pub(super) fn give_up(&self, failure: Failure, reason: impl fmt::Display) {
        self.metrics.limit_backend_errors.with_label_values(&[failure.label()]).inc();
        if self.breaker.failed(true, self.born.elapsed()) {
            self.opened(failure, reason);
        }
    }

    fn opened(&self, failure: Failure, reason: impl fmt::Display) {
        self.metrics.limit_backend_up.with_label_values(NO_LABELS).set(0);
        let kind = failure.label();
        tracing::warn!(kind, %reason, "Redis does not decide rate limits any more; each policy's `without_redis` does");
    }

    /// Closes the breaker: requests ask Redis over this connection.
    pub(super) fn found(&self, connection: Connection) {
        self.replace_connection(Some(connection));
        self.times_found.fetch_add(1, Ordering::Relaxed);
        self.breaker.close();
        self.metrics.limit_backend_up.with_label_values(NO_LABELS).set(1);
        tracing::info!("Redis decides rate limits");
    }
}
