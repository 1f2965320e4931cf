//! The current policies, with everything that is computed once for all requests.

use super::{
    backend::Backend,
    check::Check,
    policy::{
        caller::Caller,
        definition::{MAX_POLICIES, Policy, WithoutRedis},
        hash_tag,
        key::KeyPart,
        set::PolicySet,
    },
};
use crate::telemetry::Metrics;
use prometheus::IntCounter;
use smallvec::SmallVec;

/// Checks of one request; usually one or two.
pub(super) type Checks = SmallVec<[Check; 2]>;

/// Policies, and for each its number in the registry, its hash tag parts, and its counters.
#[derive(Debug)]
pub(super) struct Rules {
    policies: PolicySet,
    slots: Vec<u32>,
    /// The number of this reading of the file.
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
    /// `slot` returns a policy's number in the registry; `shared` is whether Redis is configured; `reading` is the
    /// number of this reading of the file.
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

    /// The policies.
    pub(super) fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// The checks of a request by the policies that cover it, in file order.
    pub(super) fn checks(&self, route: &'static str, method: &str, caller: &Caller) -> Checks {
        let check = |(index, policy): (usize, &Policy)| {
            if !policy.applies_to(&caller.plan) || !policy.covers(route, method) {
                return None;
            }
            let reading = self.reading.wrapping_mul(MAX_POLICIES as u32).wrapping_add(index as u32);
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

    /// The Redis key of a check.
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
        // A shadow policy refuses nothing, and without a backend it is an outage, not a limit.
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
        // RateLimitHits needs these series before the first refusal.
        Self { decisions, hits: metrics.limit_hits.with_label_values(&[&policy.name]) }
    }
}
