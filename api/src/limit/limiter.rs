//! Policies, judges and their metrics in one.

use super::{
    Answer, Ask, Backend, Caller, Decision, Outcome, PolicySet, Question, RedisJudge, Reply, WithoutRedis,
    local::LocalJudge,
    refusals::Refusals,
    rules::{Asks, Rules},
};
use crate::telemetry::Metrics;
use arc_swap::ArcSwap;
use prometheus::Histogram;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
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

/// How often paid debts are cleared out of memory.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// The rate limiter of a gateway.
pub struct Limiter {
    rules: ArcSwap<Rules>,
    /// A policy keeps its number, and with it its debts, when the file is read again.
    names: Mutex<Names>,
    local: LocalJudge,
    redis: Option<Arc<RedisJudge>>,
    refusals: Refusals,
    /// How often Redis had been found when the refusals were learnt.
    learnt: AtomicU64,
    /// All times count from here.
    born: Instant,
    metrics: Metrics,
    /// By backend, in the order of [`Backend::ALL`].
    checks: [Option<Histogram>; 4],
}

impl Limiter {
    /// A limiter over these policies that holds at most `keys` debts in memory; without `redis` the local judge is the
    /// whole of it.
    pub fn new(policies: PolicySet, redis: Option<Arc<RedisJudge>>, keys: usize, metrics: Metrics) -> Self {
        let shared = redis.is_some();
        let checks = Backend::ALL.map(|backend| {
            let possible = shared || backend == Backend::Local;
            possible.then(|| metrics.limit_check.with_label_values(&[backend.label()]))
        });
        let mut names = Names::default();
        let rules = names.rules(policies, shared, &metrics);
        Self {
            rules: ArcSwap::from_pointee(rules),
            names: Mutex::new(names),
            local: LocalJudge::new(keys),
            redis,
            refusals: Refusals::new(if shared { keys } else { 0 }),
            learnt: 0.into(),
            born: Instant::now(),
            metrics,
            checks,
        }
    }

    /// Puts other policies in force. Debts stay with the policies that keep their names.
    pub fn replace(&self, policies: PolicySet) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = names.rules(policies, self.redis.is_some(), &self.metrics);
        self.rules.store(Arc::new(rules));
        // What a stricter limit refused, the new one may let pass.
        self.refusals.clear();
    }

    /// Decides a request. `None` when no policy covers it or the caller's plan has none.
    pub async fn decide(&self, route: &'static str, method: &str, caller: &Caller) -> Option<Decision> {
        let rules = self.rules.load_full();
        let asks = rules.asks(route, method, caller);
        if asks.is_empty() {
            return None;
        }
        let started = self.born.elapsed();
        let (outcome, backend, answers) = match &self.redis {
            None => self.ask_local(&rules, &asks, 1),
            Some(redis) => match self.proven(&rules, redis, &asks, started) {
                Some(refusal) => refusal,
                // Boxed: the call is large, and many gateways never make it.
                None => match Box::pin(self.ask_redis(&rules, redis, &asks, started)).await {
                    Some(decided) => decided,
                    None => self.without_redis(&rules, redis, &asks),
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

    /// Housekeeping for ever: clears paid debts from memory and watches Redis. Runs as a task of its own.
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
    fn proven(&self, rules: &Rules, redis: &RedisJudge, asks: &[Ask], now: Duration) -> Option<Judged> {
        // A Redis that was away may have come back as another one, or an empty one.
        if self.refusals.held() == 0 || self.learnt.load(Ordering::Relaxed) != redis.times_found() {
            return None;
        }
        let counts = |ask: &&Ask| redis.is_up() || ask.without_redis != WithoutRedis::Open;
        let answers: Vec<_> =
            asks.iter().filter(counts).filter_map(|ask| self.refusals.proven(ask, now)).collect();
        (!answers.is_empty()).then(|| settle(rules, Backend::Cached, answers))
    }

    async fn ask_redis(
        &self,
        rules: &Rules,
        redis: &Arc<RedisJudge>,
        asks: &[Ask],
        started: Duration,
    ) -> Option<Judged> {
        if !redis.is_up() {
            return None;
        }
        let question = |ask: &Ask| Question {
            key: rules.redis_key(redis.prefix(), ask),
            quota: ask.quota,
            cost: ask.cost,
            shadow: ask.shadow,
        };
        let questions: Vec<_> = asks.iter().map(question).collect();
        let found = redis.times_found();
        let Reply { refusing, debts, .. } = redis.decide(&questions).await?;
        let answer =
            |(index, ask): (usize, &Ask)| Answer::to(ask, debts[index], refusing & (1 << index) == 0);
        let answers: Vec<_> = asks.iter().enumerate().map(answer).collect();
        if answers.iter().any(Answer::refuses) {
            self.learn(asks, &answers, &debts, found, started);
        }
        Some(settle(rules, Backend::Redis, answers))
    }

    fn learn(&self, asks: &[Ask], answers: &[Answer], debts: &[u64], found: u64, asked: Duration) {
        if self.learnt.swap(found, Ordering::Relaxed) != found {
            self.refusals.clear();
        }
        let answered = self.born.elapsed();
        for ((ask, answer), debt) in asks.iter().zip(answers).zip(debts) {
            if answer.refuses() {
                self.refusals.remember(ask, *debt, asked, answered);
            }
        }
    }

    fn ask_local<'a>(
        &self,
        rules: &Rules,
        asks: impl IntoIterator<Item = &'a Ask>,
        instances: u64,
    ) -> Judged {
        // Not when the request came: it may have waited for Redis, and by that clock what others spent meanwhile would
        // be a debt from the future.
        let now = self.born.elapsed();
        settle(rules, Backend::Local, self.local.decide(asks.into_iter(), instances, now))
    }

    /// What each policy says for the time that Redis does not decide.
    fn without_redis(&self, rules: &Rules, redis: &RedisJudge, asks: &Asks) -> Judged {
        let of = |mode: WithoutRedis| asks.iter().filter(move |ask| ask.without_redis == mode);
        let undecided = |mode| of(mode).filter(|ask| !ask.shadow);
        if undecided(WithoutRedis::Closed).next().is_some() {
            undecided(WithoutRedis::Closed).for_each(|ask| rules.count(ask.policy, Backend::None, false));
            return (Outcome::Unavailable, Backend::None, Vec::new());
        }
        undecided(WithoutRedis::Open).for_each(|ask| rules.count(ask.policy, Backend::None, true));
        if of(WithoutRedis::Local).next().is_none() {
            return (Outcome::Admitted, Backend::None, Vec::new());
        }
        self.ask_local(rules, of(WithoutRedis::Local), redis.instances())
    }
}

/// An outcome, who decided it, and the answers.
type Judged = (Outcome, Backend, Vec<Answer>);

/// All must let it pass; each answer is counted.
fn settle(rules: &Rules, backend: Backend, answers: Vec<Answer>) -> Judged {
    for answer in &answers {
        rules.count(answer.policy, backend, answer.verdict.admitted);
    }
    let refused = answers.iter().any(Answer::refuses);
    (if refused { Outcome::Refused } else { Outcome::Admitted }, backend, answers)
}

/// Every policy name there ever was, with its number, and how often policies were put in force.
#[derive(Debug, Default)]
struct Names {
    slots: HashMap<String, u32>,
    readings: u32,
}

impl Names {
    fn rules(&mut self, policies: PolicySet, shared: bool, metrics: &Metrics) -> Rules {
        self.readings = self.readings.wrapping_add(1);
        let slot = |name: &str| {
            let next = self.slots.len() as u32;
            *self.slots.entry(name.to_owned()).or_insert(next)
        };
        Rules::new(policies, self.readings, slot, shared, metrics)
    }
}
