//! One policy's check about one request.

use super::{
    policy::{
        definition::{Policy, WithoutRedis},
        key::Key,
    },
    quota::{Quota, Verdict},
};

/// What a backend must know to answer for one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The policy's place in the file.
    pub policy: usize,
    /// The policy's place in the registry of names, which outlives the file: what balances are kept under.
    pub slot: u32,
    /// A number of this policy in this reading of the file: what cached refusals are kept under.
    pub reading: u32,
    /// What the policy grants.
    pub quota: Quota,
    /// Units the request takes.
    pub cost: u64,
    /// The most any request takes of this policy.
    pub dearest: u64,
    /// Whether a refusal counts without refusing.
    pub shadow: bool,
    /// Who decides while Redis does not.
    pub without_redis: WithoutRedis,
    /// Whose request it is.
    pub key: Key,
}

impl Check {
    /// One policy's check about a request of this route.
    pub fn new(index: usize, [slot, reading]: [u32; 2], policy: &Policy, route: &str, key: Key) -> Self {
        Self {
            policy: index,
            slot,
            reading,
            quota: policy.quota,
            cost: policy.cost.of(route),
            dearest: policy.cost.dearest(),
            shadow: policy.shadow,
            without_redis: policy.without_redis,
            key,
        }
    }

    /// The verdict that goes with a balance after the decision.
    pub fn verdict(&self, balance: u64, admitted: bool) -> Verdict {
        self.quota.verdict(balance, self.cost, admitted)
    }
}

/// One policy's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckResult {
    /// The policy's place in the file.
    pub policy: usize,
    /// Whether it counts without refusing.
    pub shadow: bool,
    /// What it says.
    pub verdict: Verdict,
}

impl CheckResult {
    /// The answer to a question.
    pub fn to(check: &Check, balance: u64, admitted: bool) -> Self {
        Self { policy: check.policy, shadow: check.shadow, verdict: check.verdict(balance, admitted) }
    }

    /// Whether this answer refuses the request.
    pub fn refuses(&self) -> bool {
        !self.shadow && !self.verdict.admitted
    }
}
