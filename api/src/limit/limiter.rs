//! Combines policies, backends and their metrics.

use super::{
    backend::Backend,
    cached_refusals::CachedRefusals,
    check::{Check, CheckResult},
    decision::{Decision, Outcome},
    local::backend::LocalBackend,
    policy::{caller::Caller, definition::WithoutRedis, set::PolicySet},
    redis::{
        backend::RedisBackend,
        script::{Reply, ScriptCheck},
    },
    registry::PolicyRegistry,
    rules::{Checks, Rules},
};
use crate::telemetry::Metrics;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use prometheus::Histogram;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Redis as reported by `/health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisState {
    /// No `REDIS_URL`.
    NotConfigured,
    /// Deciding.
    Up,
    /// Configured, but not deciding.
    Away,
}

/// How often balances that have reached zero are removed from memory.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// The rate limiter of a gateway.
pub struct Limiter {
    rules: ArcSwap<Rules>,
    /// A policy keeps its number, and so its balances, across reloads of the file.
    registry: Mutex<PolicyRegistry>,
    local: LocalBackend,
    redis: Option<Arc<RedisBackend>>,
    refusals: CachedRefusals,
    /// How often Redis had been found when the refusals were cached.
    cached_epoch: AtomicU64,
    /// Origin of all times here.
    origin: Instant,
    metrics: Metrics,
    /// By backend, in the order of [`Backend::ALL`].
    checks: [Option<Histogram>; 4],
}

impl Limiter {
    /// A limiter with these policies that holds at most `keys` balances in memory. Without `redis` it only uses the
    /// local backend.
    pub fn new(policies: PolicySet, redis: Option<Arc<RedisBackend>>, keys: usize, metrics: Metrics) -> Self {
        let shared = redis.is_some();
        let checks = Backend::ALL.map(|backend| {
            let possible = shared || backend == Backend::Local;
            possible.then(|| metrics.limit_check.with_label_values(&[backend.label()]))
        });
        let mut registry = PolicyRegistry::default();
        let rules = registry.rules(policies, shared, &metrics);
        Self {
            rules: ArcSwap::from_pointee(rules),
            registry: Mutex::new(registry),
            local: LocalBackend::new(keys),
            redis,
            refusals: CachedRefusals::new(if shared { keys } else { 0 }),
            cached_epoch: 0.into(),
            origin: Instant::now(),
            metrics,
            checks,
        }
    }

    /// The policies in force.
    pub fn policies(&self) -> PolicySet {
        self.rules.load().policies().clone()
    }

    /// Replaces the policies. Policies that keep their names keep their balances.
    pub fn replace(&self, policies: PolicySet) {
        let mut registry = self.registry.lock();
        let rules = registry.rules(policies, self.redis.is_some(), &self.metrics);
        self.rules.store(Arc::new(rules));
        // A new limit may admit what a stricter one refused.
        self.refusals.clear();
    }

    /// Decides a request. `None` when no policy covers it or the caller's plan is unlimited.
    pub async fn decide(&self, route: &'static str, method: &str, caller: &Caller) -> Option<Decision> {
        let rules = self.rules.load_full();
        let checks = rules.checks(route, method, caller);
        if checks.is_empty() {
            return None;
        }
        let started = self.origin.elapsed();
        let (outcome, backend, results) = match &self.redis {
            None => self.check_local(&rules, &checks, 1),
            Some(redis) => match self.cached_refusal(&rules, redis, &checks, started) {
                Some(refusal) => refusal,
                // Boxed: the call is large, and many gateways never make it.
                None => match Box::pin(self.check_redis(&rules, redis, &checks, started)).await {
                    Some(decided) => decided,
                    None => self.without_redis(&rules, redis, &checks),
                },
            },
        };
        if let Some(check) = &self.checks[backend as usize] {
            check.observe((self.origin.elapsed() - started).as_secs_f64());
        }
        Some(Decision { outcome, backend, results, rules })
    }

    /// Redis's state as the requests see it; sends nothing to Redis.
    pub fn redis_state(&self) -> RedisState {
        match &self.redis {
            None => RedisState::NotConfigured,
            Some(redis) if redis.is_up() => RedisState::Up,
            Some(_) => RedisState::Away,
        }
    }

    /// Updates the metrics that are computed on demand.
    pub fn refresh_metrics(&self) {
        let keys =
            |store: &str, held: usize| self.metrics.limit_keys.with_label_values(&[store]).set(held as i64);
        keys("local", self.local.held());
        if self.redis.is_some() {
            keys("cached", self.refusals.held());
        }
    }

    /// Background task that never ends: removes balances that have reached zero and watches Redis.
    pub async fn maintain(self: Arc<Self>) {
        let sweeping = async {
            loop {
                tokio::time::sleep(SWEEP_EVERY).await;
                let now = self.origin.elapsed();
                self.local.sweep(now);
                self.refusals.sweep(now);
            }
        };
        match &self.redis {
            Some(redis) => {
                tokio::join!(sweeping, redis.clone().watch());
            }
            None => sweeping.await,
        }
    }

    /// A refusal from the cache.
    fn cached_refusal(
        &self,
        rules: &Rules,
        redis: &RedisBackend,
        checks: &[Check],
        now: Duration,
    ) -> Option<Settled> {
        // Redis may have come back as another server, or as an empty one.
        if self.refusals.held() == 0 || self.cached_epoch.load(Ordering::Relaxed) != redis.times_found() {
            return None;
        }
        let counts = |check: &&Check| redis.is_up() || check.without_redis != WithoutRedis::Open;
        let results: Vec<_> =
            checks.iter().filter(counts).filter_map(|check| self.refusals.find(check, now)).collect();
        (!results.is_empty()).then(|| settle(rules, Backend::Cached, results))
    }

    async fn check_redis(
        &self,
        rules: &Rules,
        redis: &Arc<RedisBackend>,
        checks: &[Check],
        started: Duration,
    ) -> Option<Settled> {
        if !redis.is_up() {
            return None;
        }
        let check = |check: &Check| ScriptCheck {
            key: rules.redis_key(redis.prefix(), check),
            quota: check.quota,
            cost: check.cost,
            shadow: check.shadow,
        };
        let batch: Vec<_> = checks.iter().map(check).collect();
        let found = redis.times_found();
        let Reply { refusing, balances, .. } = redis.decide(&batch).await?;
        let result = |(index, check): (usize, &Check)| {
            CheckResult::to(check, balances[index], refusing & (1 << index) == 0)
        };
        let results: Vec<_> = checks.iter().enumerate().map(result).collect();
        if results.iter().any(CheckResult::refuses) {
            self.cache_refusals(checks, &results, &balances, found, started);
        }
        Some(settle(rules, Backend::Redis, results))
    }

    fn cache_refusals(
        &self,
        checks: &[Check],
        results: &[CheckResult],
        balances: &[u64],
        found: u64,
        sent_at: Duration,
    ) {
        if self.cached_epoch.swap(found, Ordering::Relaxed) != found {
            self.refusals.clear();
        }
        let received_at = self.origin.elapsed();
        for ((check, result), balance) in checks.iter().zip(results).zip(balances) {
            if result.refuses() {
                self.refusals.remember(check, *balance, sent_at, received_at);
            }
        }
    }

    fn check_local<'a>(
        &self,
        rules: &Rules,
        checks: impl IntoIterator<Item = &'a Check>,
        instances: u64,
    ) -> Settled {
        // Not the time at which the request arrived: it may have waited for Redis, and by that time the balances of
        // other requests would lie in the future.
        let now = self.origin.elapsed();
        settle(rules, Backend::Local, self.local.decide(checks.into_iter(), instances, now))
    }

    /// The decision of each policy's `without_redis`.
    fn without_redis(&self, rules: &Rules, redis: &RedisBackend, checks: &Checks) -> Settled {
        let of = |mode: WithoutRedis| checks.iter().filter(move |check| check.without_redis == mode);
        let undecided = |mode| of(mode).filter(|check| !check.shadow);
        if undecided(WithoutRedis::Closed).next().is_some() {
            undecided(WithoutRedis::Closed).for_each(|check| rules.count(check.policy, Backend::None, false));
            return (Outcome::Unavailable, Backend::None, Vec::new());
        }
        undecided(WithoutRedis::Open).for_each(|check| rules.count(check.policy, Backend::None, true));
        if of(WithoutRedis::Local).next().is_none() {
            return (Outcome::Admitted, Backend::None, Vec::new());
        }
        self.check_local(rules, of(WithoutRedis::Local), redis.instances())
    }
}

/// An outcome, its backend, and the results.
type Settled = (Outcome, Backend, Vec<CheckResult>);

/// Admitted if all results admit; counts each result.
fn settle(rules: &Rules, backend: Backend, results: Vec<CheckResult>) -> Settled {
    for result in &results {
        rules.count(result.policy, backend, result.verdict.admitted);
    }
    let refused = results.iter().any(CheckResult::refuses);
    (if refused { Outcome::Refused } else { Outcome::Admitted }, backend, results)
}
