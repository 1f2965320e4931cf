//! Policies, judges and their metrics in one.

use super::{Caller, ClientKey, Policy, PolicySet, RedisJudge, Verdict, local::LocalJudge};
use crate::telemetry::Metrics;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Redis, shared by all gateways.
    Redis,
    /// This process.
    Local,
}

impl Backend {
    /// The `backend` label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Local => "local",
        }
    }
}

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

/// The outcome for one request: every policy that was asked, with its verdict.
#[derive(Debug)]
pub struct Decision<'a> {
    /// Whether all let the request pass.
    pub admitted: bool,
    /// Who decided.
    pub backend: Backend,
    /// In file order.
    pub verdicts: Vec<(&'a Policy, Verdict)>,
}

/// How often paid debts are cleared out of memory.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// The rate limiter of a gateway.
pub struct Limiter {
    policies: PolicySet,
    local: LocalJudge,
    redis: Option<Arc<RedisJudge>>,
    metrics: Metrics,
}

impl Limiter {
    /// A limiter over these policies; without `redis` the local judge is the whole of it.
    pub fn new(policies: PolicySet, redis: Option<Arc<RedisJudge>>, metrics: Metrics) -> Self {
        let local = LocalJudge::new(policies.policies());
        for policy in policies.policies() {
            // RateLimitHits reads these: they must exist before the first refusal.
            metrics.limit_hits.with_label_values(&[&policy.name]);
            for backend in [Backend::Redis, Backend::Local] {
                if backend == Backend::Local || redis.is_some() {
                    for decision in ["admitted", "refused"] {
                        metrics.limit_decisions.with_label_values(&[decision, &policy.name, backend.label()]);
                    }
                    metrics.limit_check.with_label_values(&[backend.label()]);
                }
            }
        }
        Self { policies, local, redis, metrics }
    }

    /// Decides a request. `None` when no policy covers it or the caller's plan has none.
    pub async fn decide(&self, route: &str, method: &str, caller: &Caller) -> Option<Decision<'_>> {
        let all = self.policies.policies();
        let covering: Vec<usize> =
            (0..all.len()).filter(|&i| caller.plan.takes(&all[i]) && all[i].covers(route, method)).collect();
        if covering.is_empty() {
            return None;
        }
        let started = Instant::now();
        // Boxed: the call is large, and most gateways never make it.
        let asked = match &self.redis {
            Some(redis) => Box::pin(self.ask_redis(redis, &covering, &caller.key)).await,
            None => None,
        };
        let decision = asked.unwrap_or_else(|| self.ask_local(&covering, &caller.key));
        self.record(&decision, started.elapsed());
        Some(decision)
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
        self.metrics.limit_keys.with_label_values(&["local"]).set(self.local.keys() as i64);
    }

    /// Housekeeping for ever: clears paid debts from memory and watches Redis. Runs as a task of its own.
    pub async fn maintain(self: Arc<Self>) {
        let sweeping = async {
            loop {
                tokio::time::sleep(SWEEP_EVERY).await;
                self.local.sweep();
            }
        };
        match &self.redis {
            Some(redis) => {
                tokio::join!(sweeping, redis.clone().watch());
            }
            None => sweeping.await,
        }
    }

    async fn ask_redis(
        &self,
        redis: &Arc<RedisJudge>,
        covering: &[usize],
        client: &ClientKey,
    ) -> Option<Decision<'_>> {
        let policies: Vec<&Policy> = covering.iter().map(|&index| &self.policies.policies()[index]).collect();
        let asked: Vec<_> = policies.iter().map(|policy| (policy.name.as_str(), policy.quota)).collect();
        let reply = redis.decide(&asked, client).await.filter(|reply| reply.debts.len() == asked.len())?;
        let verdicts = policies.into_iter().zip(reply.debts).map(|(policy, debt)| {
            // Of a refused request's policies only those that could not afford it refused it.
            let admitted = reply.admitted || policy.quota.affords(debt);
            (policy, policy.quota.verdict(debt, admitted))
        });
        Some(Decision { admitted: reply.admitted, backend: Backend::Redis, verdicts: verdicts.collect() })
    }

    fn ask_local(&self, covering: &[usize], client: &ClientKey) -> Decision<'_> {
        let verdicts = self.local.decide(covering, client);
        let admitted = verdicts.iter().all(|(_, verdict)| verdict.admitted);
        let verdicts =
            verdicts.into_iter().map(|(index, verdict)| (&self.policies.policies()[index], verdict));
        Decision { admitted, backend: Backend::Local, verdicts: verdicts.collect() }
    }

    fn record(&self, decision: &Decision<'_>, took: Duration) {
        let backend = decision.backend.label();
        self.metrics.limit_check.with_label_values(&[backend]).observe(took.as_secs_f64());
        for (policy, verdict) in &decision.verdicts {
            let outcome = if verdict.admitted { "admitted" } else { "refused" };
            self.metrics.limit_decisions.with_label_values(&[outcome, &policy.name, backend]).inc();
            if !verdict.admitted {
                self.metrics.limit_hits.with_label_values(&[&policy.name]).inc();
            }
        }
    }
}
