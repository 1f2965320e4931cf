//! The shared judge: one script, one round trip, one deadline per decision.
//!
//! The connection comes from `deadpool-redis`, whose pool gives the connect time-outs, and is then held and shared:
//! a checkout per request would cost a PING each. A background task, never a request, probes and reconnects.

use super::{
    breaker::Breaker,
    gcra::Quota,
    own_connection::{self, Found, Of},
};
use crate::telemetry::Metrics;
use deadpool_redis::{Connection, Manager, Pool, Runtime, Timeouts};
use redis::{AsyncConnectionConfig, RedisError, Script, ScriptInvocation, aio::MultiplexedConnection};
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// Longest a connection attempt or probe may take, unless the deadline of a decision is longer.
const PROBE_LIMIT: Duration = Duration::from_secs(1);
/// Pause between attempts while Redis is away.
const RETRY_EVERY: Duration = Duration::from_millis(200);
/// Pause between probes while all is well, so that `/health` notices an outage without traffic.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How to reach Redis and how long to wait for it.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `redis://…`.
    pub url: String,
    /// Longest wait for one decision.
    pub deadline: Duration,
    /// Start of every key.
    pub prefix: String,
}

/// What one policy asks Redis about one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The key's whole name.
    pub key: String,
    /// What the policy grants.
    pub quota: Quota,
    /// Units the request takes, at most the burst.
    pub cost: u64,
    /// Whether a refusal counts without refusing.
    pub shadow: bool,
}

/// Redis's answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The sum of 2^i over the questions i, from 0, that cannot afford the request.
    pub refusing: u64,
    /// Redis's clock at the decision, microseconds since 1970.
    pub now_us: u64,
    /// Each policy's debt in ticks after the decision, in the order asked.
    pub debts: Vec<u64>,
}

/// Redis as the judge of rate limits.
pub struct RedisJudge {
    pool: Pool,
    script: Script,
    settings: RedisSettings,
    probe_limit: Duration,
    connection: RwLock<Option<MultiplexedConnection>>,
    /// Tells the judges of a process apart.
    number: u64,
    /// Connections held so far; a thread's own is good as long as this stands.
    epoch: AtomicU64,
    breaker: Breaker,
    instances: AtomicU64,
    /// The breaker's clock starts here.
    born: Instant,
    opened: Notify,
    metrics: Metrics,
}

/// `rate_limit_backend_up` has no labels; it is a vector only so that it is absent without a Redis.
const NO_LABELS: &[&str] = &[];

/// Kinds of failure, the values of the `kind` label.
pub(super) const FAILURES: &[&str] = &["timeout", "connection", "response"];

impl RedisJudge {
    /// Prepares a judge; nothing is connected yet, and requests are not sent to it before the first probe.
    ///
    /// # Errors
    /// When the URL is not a Redis URL.
    pub fn new(settings: RedisSettings, metrics: Metrics) -> Result<Arc<Self>, RedisError> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let probe_limit = settings.deadline.max(PROBE_LIMIT);
        // No time-out for answers: every call here has a limit of its own around it.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(probe_limit)).set_response_timeout(None);
        let manager = Manager::new_with_config(settings.url.as_str(), config)?;
        let limits =
            Timeouts { wait: Some(probe_limit), create: Some(probe_limit), recycle: Some(probe_limit) };
        let pool = Pool::builder(manager)
            .max_size(2)
            .runtime(Runtime::Tokio1)
            .timeouts(limits)
            .build()
            .expect("a pool with time-outs is built with its runtime named");
        metrics.limit_backend_up.with_label_values(NO_LABELS).set(0);
        for kind in FAILURES {
            metrics.limit_backend_errors.with_label_values(&[kind]);
        }
        Ok(Arc::new(Self {
            pool,
            script: Script::new(include_str!("gcra.lua")),
            settings,
            probe_limit,
            connection: RwLock::new(None),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            epoch: AtomicU64::new(0),
            breaker: Breaker::open(),
            instances: AtomicU64::new(1),
            born: Instant::now(),
            opened: Notify::new(),
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

    /// How often Redis was found: another number, perhaps another Redis or an empty one.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Gateways that shared this Redis when it was last asked, this one included.
    pub fn instances(&self) -> u64 {
        self.instances.load(Ordering::Relaxed)
    }

    /// Decides one request by all the given policies at once. `None` when Redis cannot say within the deadline; the
    /// caller then decides by itself.
    pub async fn decide(self: &Arc<Self>, questions: &[Question]) -> Option<Reply> {
        let mut connection = self.nearest_connection()?;
        let call = self.call(questions);
        match timeout(self.settings.deadline, invoke(&call, &mut connection)).await {
            Ok(Ok(reply)) => {
                self.breaker.succeeded();
                Some(reply)
            }
            Ok(Err(error)) => {
                let broken = error.is_io_error() || error.is_unrecoverable_error();
                self.failed(if broken { "connection" } else { "response" }, broken, &error);
                None
            }
            Err(_) => {
                self.failed("timeout", false, "no answer within the deadline");
                None
            }
        }
    }

    fn call(&self, questions: &[Question]) -> ScriptInvocation<'_> {
        let mut call = self.script.prepare_invoke();
        for Question { key, quota, cost, shadow } in questions {
            call.key(key).arg(quota.count()).arg(quota.period_us()).arg(quota.burst());
            call.arg(*cost).arg(u8::from(*shadow));
        }
        call
    }

    fn connection(&self) -> Option<MultiplexedConnection> {
        if !self.breaker.is_closed() {
            return None;
        }
        self.connection.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// This thread's own connection, the shared one until that stands.
    fn nearest_connection(self: &Arc<Self>) -> Option<MultiplexedConnection> {
        if !self.breaker.is_closed() {
            return None;
        }
        let of = Of { judge: self.number, epoch: self.epoch.load(Ordering::Acquire) };
        match own_connection::find(of) {
            Found::Ready(own) => return Some(own),
            Found::Absent => {}
            Found::Wanted(place) => {
                let judge = self.clone();
                // On the runtime of the thread that asks, which from then on drives the connection.
                tokio::spawn(async move {
                    match judge.establish().await {
                        Ok(connection) => _ = place.set(connection),
                        Err(reason) => tracing::debug!(%reason, "a thread stays with the shared connection"),
                    }
                });
            }
        }
        self.connection()
    }

    fn replace_connection(&self, connection: Option<MultiplexedConnection>) {
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = connection;
        self.epoch.fetch_add(1, Ordering::Release);
    }

    fn failed(&self, kind: &'static str, certain: bool, reason: impl std::fmt::Display) {
        self.metrics.limit_backend_errors.with_label_values(&[kind]).inc();
        if self.breaker.failed(certain, self.born.elapsed()) {
            self.metrics.limit_backend_up.with_label_values(NO_LABELS).set(0);
            tracing::warn!(kind, %reason, "Redis does not decide rate limits any more; the local limiter stands in");
            self.opened.notify_one();
        }
    }

    /// Tries once to connect. For the start: with Redis there, the first request already finds it.
    pub async fn connect(&self) -> bool {
        match self.establish().await {
            Ok(connection) => {
                self.replace_connection(Some(connection));
                self.breaker.close();
                self.metrics.limit_backend_up.with_label_values(NO_LABELS).set(1);
                tracing::info!("Redis decides rate limits");
                true
            }
            Err(reason) => {
                tracing::debug!(%reason, "Redis is away");
                false
            }
        }
    }

    /// Watches Redis for ever: probes while it is up, reconnects while it is away. Runs as a task of its own.
    pub async fn watch(self: Arc<Self>) {
        loop {
            if !self.breaker.is_closed() {
                // A connection that failed is given up: after a pause or failover it may never answer again.
                self.replace_connection(None);
                if !self.connect().await {
                    sleep(RETRY_EVERY).await;
                }
                continue;
            }
            tokio::select! {
                () = self.opened.notified() => {}
                () = sleep(HEARTBEAT) => {
                    if let Some(mut connection) = self.connection()
                        && let Err(reason) = self.probe(&mut connection).await
                    {
                        self.failed("connection", true, reason);
                    }
                }
            }
        }
    }

    async fn establish(&self) -> Result<MultiplexedConnection, String> {
        let pooled = timeout(self.probe_limit, self.pool.get()).await;
        let pooled =
            pooled.map_err(|_| "no connection in time".to_owned())?.map_err(|error| error.to_string())?;
        let mut connection = Connection::take(pooled);
        self.probe(&mut connection).await?;
        Ok(connection)
    }

    /// A real decision on a key of its own: proves that the script runs and that Redis takes writes, which a PING
    /// would not (read-only replica, out of memory).
    async fn probe(&self, connection: &mut MultiplexedConnection) -> Result<(), String> {
        // A thousand at once, whole again in a millisecond: always admitted, so always written.
        let quota = Quota::new(1000, 1000, 1000).expect("small numbers are exact");
        let key = format!("{}probe", self.settings.prefix);
        let call = self.call(&[Question { key, quota, cost: 1, shadow: false }]);
        match timeout(self.probe_limit, invoke(&call, connection)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer to the probe in time".to_owned()),
        }
    }
}

/// EVALSHA; only when this server has not seen the script, SCRIPT LOAD and EVALSHA again.
async fn invoke(
    call: &ScriptInvocation<'_>,
    connection: &mut MultiplexedConnection,
) -> Result<Reply, RedisError> {
    let numbers: Vec<i64> = call.invoke_async(connection).await?;
    let unexpected =
        || RedisError::from((redis::ErrorKind::UnexpectedReturnType, "the script's reply is not ours"));
    let [refusing, now_us, debts @ ..] = &numbers[..] else { return Err(unexpected()) };
    let unsigned = |number: &i64| u64::try_from(*number).map_err(|_| unexpected());
    Ok(Reply {
        refusing: unsigned(refusing)?,
        now_us: unsigned(now_us)?,
        debts: debts.iter().map(unsigned).collect::<Result<_, _>>()?,
    })
}
