//! One policy's question about one request.

use super::{Key, Policy, Quota, Verdict, WithoutRedis};

/// What a judge must know to answer for one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The policy's place in the file.
    pub policy: usize,
    /// The policy's place in the registry of names, which outlives the file: what debts are kept under.
    pub slot: u32,
    /// A number of this policy in this reading of the file: what proven refusals are kept under.
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

impl Ask {
    /// One policy's question about a request of this route.
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

    /// The verdict that goes with a debt after the decision.
    pub fn verdict(&self, debt: u64, admitted: bool) -> Verdict {
        self.quota.verdict(debt, self.cost, admitted)
    }
}

/// One policy's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The policy's place in the file.
    pub policy: usize,
    /// Whether it counts without refusing.
    pub shadow: bool,
    /// What it says.
    pub verdict: Verdict,
}

impl Answer {
    /// The answer to a question.
    pub fn to(ask: &Ask, debt: u64, admitted: bool) -> Self {
        Self { policy: ask.policy, shadow: ask.shadow, verdict: ask.verdict(debt, admitted) }
    }

    /// Whether this answer refuses the request.
    pub fn refuses(&self) -> bool {
        !self.shadow && !self.verdict.admitted
    }
}
