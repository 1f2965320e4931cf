//! Policies: which requests, how many, counted by what.

use super::{
    KeyBy, Plan, Quota,
    policy_file::{self, PolicyFileError},
};
use std::{fs, path::Path};

/// The policies used when no file is named; `api/rate_limits.toml` ships the same.
pub const BUILT_IN: &str =
    "[[policy]]\nname = \"default\"\nlimit = \"100/s\"\nburst = 200\nkey = \"client\"\n";

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

/// Every policy, in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySet(Vec<Policy>);

impl Policy {
    /// Whether the policy covers a request.
    pub fn covers(&self, route: &str, method: &str) -> bool {
        (self.routes.is_empty() || self.routes.iter().any(|pattern| matches(pattern, route)))
            && (self.methods.is_empty() || self.methods.iter().any(|covered| covered == method))
    }
}

impl PolicySet {
    /// The built-in default.
    pub fn built_in() -> Self {
        Self::parse("built-in", BUILT_IN).expect("a test parses the built-in policies")
    }

    /// The policies of a file, or the built-in ones without a file.
    ///
    /// # Errors
    /// [`PolicyFileError`] when the file cannot be read or says something that cannot be meant.
    pub fn load(file: Option<&Path>) -> Result<Self, PolicyFileError> {
        let Some(path) = file else { return Ok(Self::built_in()) };
        let name = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|source| PolicyFileError::Unreadable { path: name.clone(), source })?;
        Self::parse(&name, &text)
    }

    /// Parses the text of a policy file; `path` is for messages.
    ///
    /// # Errors
    /// [`PolicyFileError::Content`] with the line.
    pub fn parse(path: &str, text: &str) -> Result<Self, PolicyFileError> {
        policy_file::parse(path, text).map(Self)
    }

    /// What the plan of an API key means; `None` for a plan there is not.
    pub fn plan(&self, name: &str) -> Option<Plan> {
        match name {
            Plan::DEFAULT => Some(Plan::Default),
            Plan::UNLIMITED => Some(Plan::Unlimited),
            _ => self.plans().any(|plan| plan == name).then(|| Plan::Policy(name.into())),
        }
    }

    /// Every name that the plan of an API key may have.
    pub fn plans(&self) -> impl Iterator<Item = &str> {
        let policies = self.0.iter().filter(|policy| policy.plan).map(|policy| policy.name.as_str());
        [Plan::DEFAULT, Plan::UNLIMITED].into_iter().chain(policies)
    }

    /// Every policy, in file order.
    pub fn policies(&self) -> &[Policy] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../rate_limits.toml");

    #[test]
    fn the_shipped_file_is_the_built_in_default() {
        let built_in = PolicySet::built_in();
        assert_eq!(PolicySet::parse("api/rate_limits.toml", SHIPPED).unwrap(), built_in);
        let [default] = built_in.policies() else { panic!("one policy") };
        assert_eq!(default.name, "default");
        assert_eq!(default.quota, Quota::new(100, 1_000_000, 200).unwrap());
        assert!(default.covers("/api/users", "GET") && default.covers("unmatched", "OTHER"));
    }

    #[test]
    fn policies_cover_routes_and_methods() {
        let text =
            "[[policy]]\nname='w'\nlimit='5/m'\nburst=5\nroutes=['/api/*','/cpu']\nmethods=['POST','PUT']\n";
        let set = PolicySet::parse("x", text).unwrap();
        for (route, method, covered) in [
            ("/api/users", "POST", true),
            ("/api/users/{id}", "PUT", true),
            ("/api/users", "GET", false),
            ("/cpu", "POST", true),
            ("/", "POST", false),
            ("unmatched", "POST", false),
        ] {
            assert_eq!(set.policies()[0].covers(route, method), covered, "{method} {route}");
        }
    }

    #[test]
    fn a_plan_replaces_the_default_and_unlimited_everything() {
        let policy = |name: &str, plan: bool| {
            format!("[[policy]]\nname='{name}'\nlimit='1/s'\nburst=1\nplan={plan}\n")
        };
        let text = [("default", false), ("writes", false), ("gold", true), ("silver", true)]
            .map(|(name, plan)| policy(name, plan))
            .concat();
        let set = PolicySet::parse("x", &text).unwrap();
        for (plan, applying) in [
            ("default", &["default", "writes"][..]),
            ("gold", &["writes", "gold"]),
            ("silver", &["writes", "silver"]),
            ("unlimited", &[]),
        ] {
            let plan = set.plan(plan).unwrap();
            let names =
                set.policies().iter().filter(|policy| plan.takes(policy)).map(|policy| policy.name.as_str());
            assert_eq!(names.collect::<Vec<_>>(), applying, "{plan:?}");
        }
        for unknown in ["writes", "bronze", ""] {
            assert_eq!(set.plan(unknown), None, "{unknown}");
        }
    }
}
