//! One policy's check of one request.

use super::{
    policy::{
        definition::{Policy, WithoutRedis},
        key::Key,
    },
    quota::{Quota, Verdict},
};

/// What a backend needs to check one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The policy's index in the file.
    pub policy: usize,
    /// The policy's number in the registry, which outlives the file; balances are kept under it.
    pub slot: u32,
    /// The policy's number in this reading of the file; cached refusals are kept under it.
    pub reading: u32,
    /// The policy's quota.
    pub quota: Quota,
    /// Cost of the request in units.
    pub cost: u64,
    /// Highest cost of any request under this policy.
    pub highest_cost: u64,
    /// Whether a refusal is only counted.
    pub shadow: bool,
    /// Who decides while Redis does not.
    pub without_redis: WithoutRedis,
    /// The caller's key.
    pub key: Key,
}

impl Check {
    /// A policy's check of a request of this route.
    pub fn new(index: usize, [slot, reading]: [u32; 2], policy: &Policy, route: &str, key: Key) -> Self {
        Self {
            policy: index,
            slot,
            reading,
            quota: policy.quota,
            cost: policy.cost.of(route),
            highest_cost: policy.cost.highest_cost(),
            shadow: policy.shadow,
            without_redis: policy.without_redis,
            key,
        }
    }

    /// The verdict for a balance after the decision.
    pub fn verdict(&self, balance: u64, admitted: bool) -> Verdict {
        self.quota.verdict(balance, self.cost, admitted)
    }
}

/// One policy's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckResult {
    /// The policy's index in the file.
    pub policy: usize,
    /// Whether a refusal is only counted.
    pub shadow: bool,
    /// The policy's verdict.
    pub verdict: Verdict,
}

impl CheckResult {
    /// The result of a check.
    pub fn to(check: &Check, balance: u64, admitted: bool) -> Self {
        Self { policy: check.policy, shadow: check.shadow, verdict: check.verdict(balance, admitted) }
    }

    /// Whether this result refuses the request.
    pub fn refuses(&self) -> bool {
        !self.shadow && !self.verdict.admitted
    }
}
