//! The policies in force with everything that is worked out once for all requests.

use super::{
    backend::Backend,
    check::Check,
    policy::{
        caller::Caller,
        definition::{MOST_POLICIES, Policy, WithoutRedis},
        hash_tag,
        key::KeyPart,
        set::PolicySet,
    },
};
use crate::telemetry::Metrics;
use prometheus::IntCounter;
use smallvec::SmallVec;

/// Questions of one request; one policy or two are the rule.
pub(super) type Checks = SmallVec<[Check; 2]>;

/// Policies, and for each its place in the registry, what its keys are hashed by, and its counters.
#[derive(Debug)]
pub(super) struct Rules {
    policies: PolicySet,
    slots: Vec<u32>,
    /// Of this reading of the file.
    reading: u32,
    hashed: Vec<Vec<KeyPart>>,
    counters: Vec<Counters>,
}

/// One policy's series, looked up once.
#[derive(Debug)]
struct Counters {
    /// By backend, in the order of [`Backend::ALL`]: admitted, refused.
    decisions: [[Option<IntCounter>; 2]; 4],
    hits: IntCounter,
}

impl Rules {
    /// `slot` gives a policy's place in the registry of names; `shared` says whether Redis is configured; `reading`
    /// counts the readings of the file.
    pub(super) fn new(
        policies: PolicySet,
        reading: u32,
        mut slot: impl FnMut(&str) -> u32,
        shared: bool,
        metrics: &Metrics,
    ) -> Self {
        let slots = policies.policies().iter().map(|policy| slot(&policy.name)).collect();
        let hashed = hash_tag::of(policies.policies());
        let counters =
            policies.policies().iter().map(|policy| Counters::new(policy, shared, metrics)).collect();
        Self { policies, slots, reading, hashed, counters }
    }

    /// What the policies that cover a request ask about it, in file order.
    pub(super) fn checks(&self, route: &'static str, method: &str, caller: &Caller) -> Checks {
        let check = |(index, policy): (usize, &Policy)| {
            if !policy.applies_to(&caller.plan) || !policy.covers(route, method) {
                return None;
            }
            let reading = self.reading.wrapping_mul(MOST_POLICIES as u32).wrapping_add(index as u32);
            Some(Check::new(
                index,
                [self.slots[index], reading],
                policy,
                route,
                policy.key.of(route, caller)?,
            ))
        };
        self.policies.policies().iter().enumerate().filter_map(check).collect()
    }

    /// The name of a question's key in Redis.
    pub(super) fn redis_key(&self, prefix: &str, check: &Check) -> String {
        hash_tag::name(prefix, self.policy(check.policy), &self.hashed[check.policy], &check.key)
    }

    pub(super) fn policy(&self, index: usize) -> &Policy {
        &self.policies.policies()[index]
    }

    /// Counts one policy's decision.
    pub(super) fn count(&self, index: usize, backend: Backend, admitted: bool) {
        let counters = &self.counters[index];
        if let Some(counter) = &counters.decisions[backend as usize][usize::from(!admitted)] {
            counter.inc();
        }
        // Nobody was refused by a shadow, and what nobody decided is an outage, not a limit.
        if !admitted && !self.policy(index).shadow && backend != Backend::None {
            counters.hits.inc();
        }
    }
}

impl Counters {
    fn new(policy: &Policy, shared: bool, metrics: &Metrics) -> Self {
        let refused = if policy.shadow { "would_refuse" } else { "refused" };
        let series = |backend: Backend, decision: &str| {
            metrics.limit_decisions.with_label_values(&[decision, &policy.name, backend.label()])
        };
        let decisions = Backend::ALL.map(|backend| {
            let possible = match backend {
                Backend::Redis => [shared; 2],
                Backend::Cached => [false, shared && !policy.shadow],
                Backend::Local => [!shared || policy.without_redis == WithoutRedis::Local; 2],
                Backend::None => [WithoutRedis::Open, WithoutRedis::Closed]
                    .map(|mode| shared && !policy.shadow && policy.without_redis == mode),
            };
            [possible[0].then(|| series(backend, "admitted")), possible[1].then(|| series(backend, refused))]
        });
        // RateLimitHits reads these: they must exist before the first refusal.
        Self { decisions, hits: metrics.limit_hits.with_label_values(&[&policy.name]) }
    }
}
