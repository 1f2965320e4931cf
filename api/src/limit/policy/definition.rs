//! One policy: which requests, how many, counted by what.

use super::{caller::Plan, key::KeyBy};
use crate::limit::quota::Quota;

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Name, in headers and metric labels.
    pub name: String,
    /// What it grants.
    pub quota: Quota,
    /// Route templates it covers, a trailing `*` matching the rest; empty: all.
    pub routes: Vec<String>,
    /// Methods it covers; empty: all.
    pub methods: Vec<String>,
    /// Whose requests are counted together.
    pub key: KeyBy,
    /// Units a request takes.
    pub cost: Cost,
    /// Who decides while Redis does not.
    pub without_redis: WithoutRedis,
    /// Counts what it would refuse, and refuses nothing.
    pub shadow: bool,
    /// Applies to API keys whose plan has this name, in place of the policy `default`, and to nobody else.
    pub plan: bool,
}

/// Most policies a file may have. The script's reply names those that refuse in one number.
pub const MOST_POLICIES: usize = 32;

/// Who decides while Redis, though configured, does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WithoutRedis {
    /// This process, at its share of the limit.
    #[default]
    Local,
    /// Nobody: requests pass.
    Open,
    /// Nobody: requests are answered 503.
    Closed,
}

impl WithoutRedis {
    /// Every mode, by the name it has in a policy file.
    pub const ALL: [(&'static str, Self); 3] =
        [("local", Self::Local), ("open", Self::Open), ("closed", Self::Closed)];
}

/// What requests cost: the same for all, or by route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Of a route that none of the patterns match; at least 1.
    pub usual: u64,
    /// Of routes by pattern; the first that matches counts.
    pub by_route: Vec<(String, u64)>,
}

impl Cost {
    /// Units one request of this route takes.
    pub fn of(&self, route: &str) -> u64 {
        let found = self.by_route.iter().find(|(pattern, _)| matches(pattern, route));
        found.map_or(self.usual, |(_, cost)| *cost)
    }

    /// The most a request can take.
    pub fn dearest(&self) -> u64 {
        self.by_route.iter().map(|(_, cost)| *cost).fold(self.usual, u64::max)
    }
}

/// Whether a route template fits a pattern; a trailing `*` matches the rest.
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
