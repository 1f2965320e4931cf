//! The shared backend: one script, one round trip, one deadline per decision.
//!
//! Connections come from `deadpool-redis`, whose pool has the connect timeouts, and are then held and shared: a
//! checkout per request would cost a PING each. A background task (`watch.rs`), never a request, probes and reconnects.

use super::{
    breaker::Breaker,
    connection::{Connection, Source},
    script::{Reply, ScriptCheck, Scripts},
    thread_connection::{self, Found, Of},
    url::{RedisUrl, RedisUrlError},
};
use crate::telemetry::Metrics;
use parking_lot::RwLock;
use redis::{RedisError, TlsCertificates};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};

/// How to reach Redis, and the deadline of a decision.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `redis://…`, `redis+sentinel://…` or `redis+cluster://…`; with `rediss` over TLS.
    pub url: String,
    /// Authorities and client certificate of an encrypted connection.
    pub certificates: TlsCertificates,
    /// Deadline of one decision.
    pub deadline: Duration,
    /// Prefix of every key.
    pub prefix: String,
}

/// Redis as the backend of rate limits.
pub struct RedisBackend {
    pub(super) source: Source,
    pub(super) scripts: Scripts,
    pub(super) settings: RedisSettings,
    connection: RwLock<Option<Connection>>,
    /// Distinguishes the backends of a process.
    number: u64,
    /// Distinguishes gateways that share a Redis.
    pub(super) name: String,
    /// Number of connections so far. A thread's own connection is valid as long as this does not change.
    epoch: AtomicU64,
    times_found: AtomicU64,
    pub(super) breaker: Breaker,
    instances: AtomicU64,
    /// Origin of the breaker's clock.
    origin: Instant,
    /// Wakes the background task before the next heartbeat: the breaker opened, or a decision failed.
    pub(super) woken: Notify,
    metrics: Metrics,
}

/// `rate_limit_backend_up` and `rate_limit_instances` are vectors only so that they are absent without a Redis.
const NO_LABELS: &[&str] = &[];

/// Why Redis did not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// No response in time; the next one may be.
    Timeout,
    /// The connection is broken.
    Connection,
    /// A response that is not a decision: out of memory, read-only, loading, cluster down.
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
    /// Prepares a backend without connecting. Requests use it only after the first successful probe.
    ///
    /// # Errors
    /// When the URL is not a Redis URL.
    pub fn new(settings: RedisSettings, metrics: Metrics) -> Result<Arc<Self>, RedisUrlError> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let source = Source::new(RedisUrl::parse(&settings.url)?, &settings.certificates, settings.deadline)?;
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
            origin: Instant::now(),
            woken: Notify::new(),
            metrics,
        }))
    }

    /// Whether requests use Redis now.
    pub fn is_up(&self) -> bool {
        self.breaker.is_closed()
    }

    /// Prefix of every key.
    pub fn prefix(&self) -> &str {
        &self.settings.prefix
    }

    /// How often Redis has been found. A new number may mean another Redis, or an empty one.
    pub fn times_found(&self) -> u64 {
        self.times_found.load(Ordering::Relaxed)
    }

    /// Gateways that shared this Redis at the last check, including this one.
    pub fn instances(&self) -> u64 {
        self.instances.load(Ordering::Relaxed)
    }

    pub(super) fn saw(&self, instances: u64) {
        let instances = instances.max(1);
        self.instances.store(instances, Ordering::Relaxed);
        self.metrics.limit_instances.with_label_values(NO_LABELS).set(instances as i64);
    }

    /// Decides one request by all the given policies. `None` when Redis does not decide within the deadline; the caller
    /// then decides.
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
                self.failed(Failure::Timeout, "no response within the deadline");
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

    /// This thread's own connection, or the shared one until that is ready.
    fn nearest_connection(self: &Arc<Self>) -> Option<Connection> {
        if !self.breaker.is_closed() {
            return None;
        }
        match thread_connection::find(self.own()) {
            Found::Ready(own) => return Some(own),
            Found::Absent => {}
            Found::Wanted(place) => {
                let backend = self.clone();
                // On the runtime of the calling thread, which from then on drives the connection.
                tokio::spawn(async move {
                    match backend.establish().await {
                        Ok(connection) => _ = place.set(connection),
                        Err(reason) => {
                            tracing::debug!(error = %reason, "cannot open a connection for this thread, using the shared one")
                        }
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

    /// Counts a failure, which may open the breaker, and wakes the background task.
    fn failed(&self, failure: Failure, reason: impl fmt::Display) {
        self.metrics.limit_backend_errors.with_label_values(&[failure.label()]).inc();
        if self.breaker.failed(failure == Failure::Connection, self.origin.elapsed()) {
            self.opened(failure, reason);
        }
        self.woken.notify_one();
    }

    /// Opens the breaker regardless of what requests saw.
    pub(super) fn give_up(&self, failure: Failure, reason: impl fmt::Display) {
        self.metrics.limit_backend_errors.with_label_values(&[failure.label()]).inc();
        if self.breaker.failed(true, self.origin.elapsed()) {
            self.opened(failure, reason);
        }
    }

    fn opened(&self, failure: Failure, reason: impl fmt::Display) {
        self.metrics.limit_backend_up.with_label_values(NO_LABELS).set(0);
        let kind = failure.label();
        tracing::warn!(kind, error = %reason, "Redis is unavailable for rate limits, using each policy's `without_redis`");
    }

    /// Closes the breaker: requests use Redis over this connection.
    pub(super) fn found(&self, connection: Connection) {
        self.replace_connection(Some(connection));
        self.times_found.fetch_add(1, Ordering::Relaxed);
        self.breaker.close();
        self.metrics.limit_backend_up.with_label_values(NO_LABELS).set(1);
        tracing::info!("Redis is available for rate limits");
    }
}
