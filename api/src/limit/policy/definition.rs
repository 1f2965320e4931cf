//! One policy: its requests, quota and key.

use super::{caller::Plan, key::KeyBy};
use crate::limit::quota::Quota;

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Name in headers and metric labels.
    pub name: String,
    /// Quota per key.
    pub quota: Quota,
    /// Route templates it covers, where a trailing `*` matches any suffix; empty: all.
    pub routes: Vec<String>,
    /// Methods it covers; empty: all.
    pub methods: Vec<String>,
    /// What requests are counted by.
    pub key: KeyBy,
    /// Cost of a request in units.
    pub cost: Cost,
    /// Who decides while Redis does not.
    pub without_redis: WithoutRedis,
    /// Only count refusals; refuse nothing.
    pub shadow: bool,
    /// Applies only to API keys whose plan has this name, in place of the policy `default`.
    pub plan: bool,
}

/// Maximum number of policies in a file. The script returns the refusing ones as bits of one number.
pub const MAX_POLICIES: usize = 32;

/// Who decides while Redis is configured but does not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WithoutRedis {
    /// This process, with its share of the limit.
    #[default]
    Local,
    /// Requests are admitted.
    Open,
    /// Requests get 503.
    Closed,
}

impl WithoutRedis {
    /// Every mode with its name in a policy file.
    pub const ALL: [(&'static str, Self); 3] =
        [("local", Self::Local), ("open", Self::Open), ("closed", Self::Closed)];
}

/// Cost of requests: the same for all, or by route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Cost of routes that match no pattern; at least 1.
    pub usual: u64,
    /// Cost of routes by pattern; the first match counts.
    pub by_route: Vec<(String, u64)>,
}

impl Cost {
    /// Cost of one request of this route in units.
    pub fn of(&self, route: &str) -> u64 {
        let found = self.by_route.iter().find(|(pattern, _)| matches(pattern, route));
        found.map_or(self.usual, |(_, cost)| *cost)
    }

    /// Highest cost of a request.
    pub fn highest_cost(&self) -> u64 {
        self.by_route.iter().map(|(_, cost)| *cost).fold(self.usual, u64::max)
    }
}

/// Whether a route template matches a pattern; a trailing `*` matches any suffix.
pub(super) fn matches(pattern: &str, route: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => route.starts_with(start),
        None => route == pattern,
    }
}

impl Policy {
    /// Whether the policy covers a request.
    pub fn covers(&self, route: &str, method: &str) -> bool {
        (self.routes.is_empty() || self.routes.iter().any(|pattern| matches(pattern, route)))
            && (self.methods.is_empty() || self.methods.iter().any(|covered| covered == method))
    }

    /// Whether the policy applies under a plan.
    pub fn applies_to(&self, plan: &Plan) -> bool {
        match plan {
            Plan::Default => !self.plan,
            Plan::Policy(name) if self.plan => *self.name == **name,
            Plan::Policy(_) => self.name != Plan::DEFAULT,
            Plan::Unlimited => false,
        }
    }
}
