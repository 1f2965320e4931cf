//! Policies, backends and their metrics in one.

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

/// Redis as `/health` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisState {
    /// No `REDIS_URL`.
    NotConfigured,
    /// Deciding.
    Up,
    /// Configured and not deciding.
    Away,
}

/// How often paid balances are cleared out of memory.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// The rate limiter of a gateway.
pub struct Limiter {
    rules: ArcSwap<Rules>,
    /// A policy keeps its number, and with it its balances, when the file is read again.
    registry: Mutex<PolicyRegistry>,
    local: LocalBackend,
    redis: Option<Arc<RedisBackend>>,
    refusals: CachedRefusals,
    /// How often Redis had been found when the refusals were learnt.
    learnt: AtomicU64,
    /// All times count from here.
    born: Instant,
    metrics: Metrics,
    /// By backend, in the order of [`Backend::ALL`].
    checks: [Option<Histogram>; 4],
}

impl Limiter {
    /// A limiter over these policies that holds at most `keys` balances in memory; without `redis` the local backend is the
    /// whole of it.
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
            learnt: 0.into(),
            born: Instant::now(),
            metrics,
            checks,
        }
    }

    /// Puts other policies in force. Balances stay with the policies that keep their names.
    pub fn replace(&self, policies: PolicySet) {
        let mut registry = self.registry.lock();
        let rules = registry.rules(policies, self.redis.is_some(), &self.metrics);
        self.rules.store(Arc::new(rules));
        // What a stricter limit refused, the new one may let pass.
        self.refusals.clear();
    }

    /// Decides a request. `None` when no policy covers it or the caller's plan has none.
    pub async fn decide(&self, route: &'static str, method: &str, caller: &Caller) -> Option<Decision> {
        let rules = self.rules.load_full();
        let checks = rules.checks(route, method, caller);
        if checks.is_empty() {
            return None;
        }
        let started = self.born.elapsed();
        let (outcome, backend, answers) = match &self.redis {
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
            check.observe((self.born.elapsed() - started).as_secs_f64());
        }
        Some(Decision { outcome, backend, answers, rules })
    }

    /// Redis's state, as the requests see it; asks nobody.
    pub fn redis_state(&self) -> RedisState {
        match &self.redis {
            None => RedisState::NotConfigured,
            Some(redis) if redis.is_up() => RedisState::Up,
            Some(_) => RedisState::Away,
        }
    }

    /// Brings metrics that are counted on demand up to date.
    pub fn refresh_metrics(&self) {
        let keys =
            |store: &str, held: usize| self.metrics.limit_keys.with_label_values(&[store]).set(held as i64);
        keys("local", self.local.held());
        if self.redis.is_some() {
            keys("cached", self.refusals.held());
        }
    }

    /// Housekeeping for ever: clears paid balances from memory and watches Redis. Runs as a task of its own.
    pub async fn maintain(self: Arc<Self>) {
        let sweeping = async {
            loop {
                tokio::time::sleep(SWEEP_EVERY).await;
                let now = self.born.elapsed();
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

    /// A refusal that an earlier answer of Redis proves.
    fn cached_refusal(
        &self,
        rules: &Rules,
        redis: &RedisBackend,
        checks: &[Check],
        now: Duration,
    ) -> Option<Settled> {
        // A Redis that was away may have come back as another one, or an empty one.
        if self.refusals.held() == 0 || self.learnt.load(Ordering::Relaxed) != redis.times_found() {
            return None;
        }
        let counts = |check: &&Check| redis.is_up() || check.without_redis != WithoutRedis::Open;
        let answers: Vec<_> =
            checks.iter().filter(counts).filter_map(|check| self.refusals.find(check, now)).collect();
        (!answers.is_empty()).then(|| settle(rules, Backend::Cached, answers))
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
        let answer = |(index, check): (usize, &Check)| {
            CheckResult::to(check, balances[index], refusing & (1 << index) == 0)
        };
        let answers: Vec<_> = checks.iter().enumerate().map(answer).collect();
        if answers.iter().any(CheckResult::refuses) {
            self.learn(checks, &answers, &balances, found, started);
        }
        Some(settle(rules, Backend::Redis, answers))
    }

    fn learn(
        &self,
        checks: &[Check],
        answers: &[CheckResult],
        balances: &[u64],
        found: u64,
        asked: Duration,
    ) {
        if self.learnt.swap(found, Ordering::Relaxed) != found {
            self.refusals.clear();
        }
        let answered = self.born.elapsed();
        for ((check, answer), balance) in checks.iter().zip(answers).zip(balances) {
            if answer.refuses() {
                self.refusals.remember(check, *balance, asked, answered);
            }
        }
    }

    fn check_local<'a>(
        &self,
        rules: &Rules,
        checks: impl IntoIterator<Item = &'a Check>,
        instances: u64,
    ) -> Settled {
        // Not when the request came: it may have waited for Redis, and by that clock what others spent meanwhile would
        // be a balance from the future.
        let now = self.born.elapsed();
        settle(rules, Backend::Local, self.local.decide(checks.into_iter(), instances, now))
    }

    /// What each policy says for the time that Redis does not decide.
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

/// An outcome, who decided it, and the answers.
type Settled = (Outcome, Backend, Vec<CheckResult>);

/// All must let it pass; each answer is counted.
fn settle(rules: &Rules, backend: Backend, answers: Vec<CheckResult>) -> Settled {
    for answer in &answers {
        rules.count(answer.policy, backend, answer.verdict.admitted);
    }
    let refused = answers.iter().any(CheckResult::refuses);
    (if refused { Outcome::Refused } else { Outcome::Admitted }, backend, answers)
}
