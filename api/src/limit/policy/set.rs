//! All policies of a file.

use super::{caller::Plan, definition::Policy, file};
use crate::toml_file::{self, FileError};
use std::path::Path;

/// The policies used when no file is configured; `api/rate_limits.toml` has the same.
pub const BUILT_IN: &str = "[[policy]]\nname = \"default\"\nlimit = \"100/s\"\nburst = 200\nkey = \"client\"\ncost = { \"/inference\" = 3 }\n";

/// All policies, in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySet(Vec<Policy>);

impl PolicySet {
    /// The built-in policies.
    pub fn built_in() -> Self {
        Self::parse("built-in", BUILT_IN).expect("the built-in policies are valid")
    }

    /// The policies of a file, or the built-in ones without a file.
    ///
    /// # Errors
    /// [`FileError`] when the file cannot be read or is invalid.
    pub fn load(file: Option<&Path>) -> Result<Self, FileError> {
        file.map_or_else(|| Ok(Self::built_in()), |path| toml_file::load(file::VARIABLE, path, Self::parse))
    }

    /// Parses the text of a policy file; `path` is for messages.
    ///
    /// # Errors
    /// [`FileError::Content`] with the line.
    pub fn parse(path: &str, text: &str) -> Result<Self, FileError> {
        file::parse(path, text).map(Self)
    }

    /// The plan with this name, for an API key; `None` if it does not exist.
    pub fn plan(&self, name: &str) -> Option<Plan> {
        match name {
            Plan::DEFAULT => Some(Plan::Default),
            Plan::UNLIMITED => Some(Plan::Unlimited),
            _ => self.plans().any(|plan| plan == name).then(|| Plan::Policy(name.into())),
        }
    }

    /// Every valid plan name of an API key.
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
    use crate::limit::Quota;

    const SHIPPED: &str = include_str!("../../../rate_limits.toml");

    #[test]
    fn the_shipped_file_equals_the_built_in_default() {
        let built_in = PolicySet::built_in();
        assert_eq!(PolicySet::parse("api/rate_limits.toml", SHIPPED).unwrap(), built_in);
        let [default] = built_in.policies() else { panic!("one policy") };
        assert_eq!(default.name, "default");
        assert_eq!(default.quota, Quota::new(100, 1_000_000, 200).unwrap());
        assert_eq!((default.cost.of("/inference"), default.cost.of("/api/users")), (3, 1));
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
    fn a_plan_replaces_the_default_and_unlimited_replaces_all() {
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
            let names = set
                .policies()
                .iter()
                .filter(|policy| policy.applies_to(&plan))
                .map(|policy| policy.name.as_str());
            assert_eq!(names.collect::<Vec<_>>(), applying, "{plan:?}");
        }
        for unknown in ["writes", "bronze", ""] {
            assert_eq!(set.plan(unknown), None, "{unknown}");
        }
    }
}
