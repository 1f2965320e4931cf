//! The policy file: strict, so that a typo is an error at start and not a limit that never applies.

use super::{Plan, Policy, Quota, Rate, policy::KeyBy};
use crate::routes;
use serde::Deserialize;
use std::{collections::HashSet, ops::Range};
use toml::Spanned;

/// A policy file that cannot be used: which file, where in it, what is wrong, and what to write.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// The file cannot be read.
    #[error(
        "RATE_LIMITS_FILE={path}: cannot be read ({source}); name an existing file or unset the variable"
    )]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file's content.
    #[error("RATE_LIMITS_FILE={path}: line {line}: {reason}")]
    Content {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// The field, what is wrong with it and what to write instead.
        reason: String,
    },
}

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
    #[serde(default)]
    key: KeyBy,
    #[serde(default)]
    routes: Vec<Spanned<String>>,
    #[serde(default)]
    methods: Vec<Spanned<String>>,
    #[serde(default)]
    plan: bool,
}

/// What is wrong and where in the text.
type Fault = (Range<usize>, String);

pub(super) fn parse(path: &str, text: &str) -> Result<Vec<Policy>, PolicyFileError> {
    let content = |(span, reason): Fault| PolicyFileError::Content {
        path: path.to_owned(),
        line: text[..span.start.min(text.len())].matches('\n').count() + 1,
        reason,
    };
    let file: File = toml::from_str(text).map_err(|error| {
        let reason = format!("{}; api/rate_limits.toml shows every field", error.message().trim_end());
        content((error.span().unwrap_or(0..0), reason))
    })?;
    if file.policy.is_empty() {
        return Err(content((0..0, "`policy`: the file has none; add a [[policy]]".to_owned())));
    }
    let mut names = HashSet::new();
    let mut policies = Vec::new();
    for raw in file.policy {
        if !names.insert(raw.name.get_ref().clone()) {
            let reason = format!(
                "`name`: \"{}\" is the name of an earlier policy; choose another",
                raw.name.get_ref()
            );
            return Err(content((raw.name.span(), reason)));
        }
        policies.push(raw.check().map_err(content)?);
    }
    Ok(policies)
}

impl RawPolicy {
    fn check(self) -> Result<Policy, Fault> {
        let name = self.name.get_ref();
        let clean = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 64 || !name.chars().all(clean) {
            let reason = format!("`name`: \"{name}\" must be 1 to 64 letters, digits, `-`, `_` or `.`");
            return Err((self.name.span(), reason));
        }
        if name == Plan::UNLIMITED || (name == Plan::DEFAULT && self.plan) {
            let reason = format!("`name`: \"{name}\" is a plan of its own; choose another name");
            return Err((self.name.span(), reason));
        }
        let rate: Rate =
            self.limit.get_ref().parse().map_err(|why| {
                (self.limit.span(), format!("`limit`: \"{}\": {why}", self.limit.get_ref()))
            })?;
        let burst =
            u64::try_from(*self.burst.get_ref()).ok().filter(|burst| *burst > 0).ok_or_else(|| {
                let reason = format!("`burst`: {} must be at least 1, such as 200", self.burst.get_ref());
                (self.burst.span(), reason)
            })?;
        let quota = Quota::new(rate.count, rate.seconds * 1_000_000, burst)
            .map_err(|why| (self.limit.span(), format!("`limit` {rate} with `burst` {burst}: {why}")))?;
        for route in &self.routes {
            check_route(route)?;
        }
        for method in &self.methods {
            if !routes::KNOWN_METHODS.contains(&method.get_ref().as_str()) {
                let known = routes::KNOWN_METHODS.join(", ");
                return Err((
                    method.span(),
                    format!("`methods`: \"{}\" is none of {known}", method.get_ref()),
                ));
            }
        }
        Ok(Policy {
            name: name.clone(),
            quota,
            routes: self.routes.into_iter().map(Spanned::into_inner).collect(),
            methods: self.methods.into_iter().map(Spanned::into_inner).collect(),
            key: self.key,
            plan: self.plan,
        })
    }
}

/// A pattern that matches no limited route would be a limit that never applies.
fn check_route(route: &Spanned<String>) -> Result<(), Fault> {
    let pattern = route.get_ref();
    let probe = Policy {
        name: String::new(),
        quota: Quota::new(1, 1, 1).expect("ones are in range"),
        routes: vec![pattern.clone()],
        methods: Vec::new(),
        key: KeyBy::Address,
        plan: false,
    };
    let limited = routes::ALL.iter().filter(|endpoint| endpoint.limited).map(|endpoint| endpoint.path);
    let known: Vec<_> = limited.chain([routes::UNMATCHED]).collect();
    if known.iter().any(|path| probe.covers(path, "GET")) {
        return Ok(());
    }
    Err((
        route.span(),
        format!("`routes`: \"{pattern}\" matches no limited route; they are {}", known.join(", ")),
    ))
}

#[cfg(test)]
mod tests {
    use crate::limit::PolicySet;

    fn refusal(text: &str) -> String {
        PolicySet::parse("limits.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn every_fault_names_file_line_field_and_remedy() {
        let with =
            |line: &str| format!("# limits\n[[policy]]\nname = \"a\"\nlimit = \"1/s\"\nburst = 1\n{line}\n");
        for (text, needles) in [
            (
                "[[policy]]\nname = \"a\"\nlimit = \"0/s\"\nburst = 1\n".to_owned(),
                &["line 3", "`limit`", "1/d"][..],
            ),
            (
                "[[policy]]\nname = \"a\"\nlimit = \"1/s\"\nburst = 0\n".to_owned(),
                &["line 4", "`burst`", "200"],
            ),
            ("[[policy]]\nname = \"a\"\nlimit = 5\nburst = 1\n".to_owned(), &["line 3", "string"]),
            ("[[policy]]\nname = \"a b\"\nlimit = \"1/s\"\nburst = 1\n".to_owned(), &["line 2", "`name`"]),
            ("[[policy]]\nname = \"a\"\nburst = 1\n".to_owned(), &["`limit`", "rate_limits.toml"]),
            (with("brust = 2"), &["line 6", "`brust`", "`burst`"]),
            (with("key = \"plan\""), &["line 6", "`plan`", "`address`"]),
            (with("routes = [\"/nope\"]"), &["line 6", "`routes`", "/api/users"]),
            (with("routes = [\"/health\"]"), &["line 6", "`routes`", "/api/users"]),
            (with("methods = [\"FETCH\"]"), &["line 6", "`methods`", "POST"]),
            (with("[[policy]]\nname = \"a\"\nlimit = \"2/s\"\nburst = 2"), &["line 7", "`name`", "another"]),
            (
                "[[policy]]\nname = \"unlimited\"\nlimit = \"1/s\"\nburst = 1\n".to_owned(),
                &["line 2", "`name`", "plan"],
            ),
            (with("plan = \"gold\""), &["line 6", "boolean"]),
            (String::new(), &["line 1", "`policy`"]),
            ("policy = []".to_owned(), &["`policy`", "[[policy]]"]),
            ("[[policy]\n".to_owned(), &["line 1"]),
            ("[[policy]]\nname='a'\nlimit='1/d'\nburst=1000000".to_owned(), &["line 3", "lower the burst"]),
        ] {
            let message = refusal(&text);
            assert!(message.starts_with("RATE_LIMITS_FILE=limits.toml: "), "{message}");
            for needle in needles {
                assert!(message.contains(needle), "{needle:?} not in: {message}");
            }
        }
    }
}
