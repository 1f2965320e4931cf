//! Parses the policy file strictly, so that a typo is an error at start and not a limit that never applies.

use super::{
    caller::Plan,
    client::name_is_clean,
    definition::{Cost, MAX_POLICIES, Policy, WithoutRedis, matches},
    key::{KeyBy, KeyPart},
    rate::Rate,
};
use crate::{
    limit::quota::Quota,
    routes,
    toml_file::{Fault, FileError, TomlFile},
};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use toml::Spanned;

pub(super) const VARIABLE: &str = "RATE_LIMITS_FILE";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    policy: Vec<RawPolicy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    name: Spanned<String>,
    limit: Spanned<String>,
    burst: Spanned<i64>,
    key: Option<Spanned<Names>>,
    cost: Option<Spanned<RawCost>>,
    without_redis: Option<Spanned<String>>,
    #[serde(default)]
    shadow: bool,
    #[serde(default)]
    routes: Vec<Spanned<String>>,
    #[serde(default)]
    methods: Vec<Spanned<String>>,
    #[serde(default)]
    plan: bool,
}

/// `key = "client"` or `key = ["client", "route"]`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`key`: expected a name or a list of names, such as \"client\"")]
enum Names {
    One(String),
    Several(Vec<String>),
}

/// `cost = 5` or `cost = { "/inference" = 20, "*" = 1 }`.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "`cost`: expected a number, or numbers by route such as { \"/inference\" = 20 }"
)]
enum RawCost {
    Same(i64),
    ByRoute(BTreeMap<String, i64>),
}

pub(super) fn parse(path: &str, text: &str) -> Result<Vec<Policy>, FileError> {
    let source = TomlFile { variable: VARIABLE, path, text };
    let content = |fault| source.wrong(fault);
    let file: File = source.read("see api/rate_limits.toml for all fields")?;
    if file.policy.is_empty() {
        return Err(content((0..0, "`policy`: the file has no policies; add a [[policy]]".to_owned())));
    }
    if let Some(further) = file.policy.get(MAX_POLICIES) {
        let reason =
            format!("`policy`: too many policies ({}): must be at most {MAX_POLICIES}", MAX_POLICIES + 1);
        return Err(content((further.name.span(), reason)));
    }
    let mut names = HashSet::new();
    let mut policies = Vec::new();
    for raw in file.policy {
        if !names.insert(raw.name.get_ref().clone()) {
            let reason = format!("`name`: duplicate name \"{}\"; choose another", raw.name.get_ref());
            return Err(content((raw.name.span(), reason)));
        }
        policies.push(raw.check().map_err(content)?);
    }
    Ok(policies)
}

impl RawPolicy {
    fn check(self) -> Result<Policy, Fault> {
        let name = self.name.get_ref();
        if !name_is_clean(name) {
            let reason =
                format!("`name`: invalid name \"{name}\": must be 1 to 64 letters, digits, `-`, `_` or `.`");
            return Err((self.name.span(), reason));
        }
        if name == Plan::UNLIMITED || (name == Plan::DEFAULT && self.plan) {
            let reason = format!("`name`: \"{name}\" is reserved for the built-in plan; choose another name");
            return Err((self.name.span(), reason));
        }
        let rate: Rate =
            self.limit.get_ref().parse().map_err(|why| {
                (self.limit.span(), format!("`limit`: \"{}\": {why}", self.limit.get_ref()))
            })?;
        let burst =
            u64::try_from(*self.burst.get_ref()).ok().filter(|burst| *burst > 0).ok_or_else(|| {
                let reason = format!(
                    "`burst`: invalid value {}: must be at least 1, such as 200",
                    self.burst.get_ref()
                );
                (self.burst.span(), reason)
            })?;
        let quota = Quota::new(rate.count, rate.seconds * 1_000_000, burst)
            .map_err(|why| (self.limit.span(), format!("`limit` {rate} with `burst` {burst}: {why}")))?;
        let cost = self.cost.as_ref().map_or(Ok(Cost { usual: 1, by_route: Vec::new() }), |cost| {
            check_cost(cost.get_ref(), burst).map_err(|reason| (cost.span(), reason))
        })?;
        let key = self.key.as_ref().map_or(Ok(KeyBy::default()), |key| {
            check_key(key.get_ref()).map_err(|reason| (key.span(), reason))
        })?;
        let without_redis = self.without_redis.as_ref().map_or(Ok(WithoutRedis::default()), |mode| {
            one_of("without_redis", mode.get_ref(), &WithoutRedis::ALL)
                .map_err(|reason| (mode.span(), reason))
        })?;
        for route in &self.routes {
            check_route("routes", route.get_ref()).map_err(|reason| (route.span(), reason))?;
        }
        for method in &self.methods {
            if !routes::KNOWN_METHODS.contains(&method.get_ref().as_str()) {
                let known = routes::KNOWN_METHODS.join(", ");
                return Err((
                    method.span(),
                    format!("`methods`: unknown method \"{}\": must be one of {known}", method.get_ref()),
                ));
            }
        }
        Ok(Policy {
            name: name.clone(),
            quota,
            routes: self.routes.into_iter().map(Spanned::into_inner).collect(),
            methods: self.methods.into_iter().map(Spanned::into_inner).collect(),
            key,
            cost,
            without_redis,
            shadow: self.shadow,
            plan: self.plan,
        })
    }
}

fn one_of<T: Copy>(field: &str, name: &str, all: &[(&str, T)]) -> Result<T, String> {
    let found = all.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|(known, _)| format!("\"{known}\"")).collect();
        format!("`{field}`: unknown value \"{name}\": must be one of {}", known.join(", "))
    })
}

fn check_key(names: &Names) -> Result<KeyBy, String> {
    let names = match names {
        Names::One(name) => std::slice::from_ref(name),
        Names::Several(names) => names,
    };
    let parts = names.iter().map(|name| one_of("key", name, &KeyPart::ALL));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    KeyBy::new(parts).ok_or_else(|| "`key`: the list is empty; use \"client\" or omit the field".to_owned())
}

fn check_cost(cost: &RawCost, burst: u64) -> Result<Cost, String> {
    let check = |cost: i64| match u64::try_from(cost) {
        Ok(cost) if (1..=burst).contains(&cost) => Ok(cost),
        Ok(cost) if cost > burst => Err(format!(
            "`cost`: {cost} is above `burst` {burst}, so no request could be admitted; raise the burst to {cost} or lower the cost"
        )),
        _ => Err(format!("`cost`: invalid value {cost}: must be from 1 to the burst, {burst}")),
    };
    match cost {
        RawCost::Same(cost) => Ok(Cost { usual: check(*cost)?, by_route: Vec::new() }),
        RawCost::ByRoute(costs) => {
            let mut by_route = Vec::new();
            for (pattern, cost) in costs {
                check_route("cost", pattern)?;
                by_route.push((pattern.clone(), check(*cost)?));
            }
            // The most specific first: templates before patterns, longer before shorter.
            by_route.sort_by_key(|(pattern, _)| (pattern.ends_with('*'), std::cmp::Reverse(pattern.len())));
            Ok(Cost { usual: 1, by_route })
        }
    }
}

/// A pattern that matches no limited route would be a limit that never applies.
fn check_route(field: &str, pattern: &str) -> Result<(), String> {
    let limited = routes::ALL.iter().filter(|endpoint| endpoint.limited).map(|endpoint| endpoint.path);
    let known: Vec<_> = limited.chain([routes::UNMATCHED]).collect();
    if known.iter().any(|path| matches(pattern, path)) {
        return Ok(());
    }
    Err(format!("`{field}`: \"{pattern}\" matches no limited route; use one of {}", known.join(", ")))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
