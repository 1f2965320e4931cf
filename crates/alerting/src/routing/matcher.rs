//! Label matchers of routes and silences.
//!
//! Source: <https://prometheus.io/docs/alerting/latest/configuration/#matcher>.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::routing::error::RoutingError;
use clients::prometheus::Labels;

/// A name (quoted or not), an operator, a value (quoted or not), and the comma or end after it.
static MATCHER: LazyLock<Regex> = LazyLock::new(|| {
    let name = r#""?([^=!"\s](?:[^=!"]*[^=!"\s])?)"?"#;
    let value = r#"(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<bare>(?:[^",][^,]*)?))"#;
    Regex::new(&format!(r"(?s)^{name}\s*([=!]~|!?=)\s*{value}\s*(?:,\s*|$)"))
        .expect("the patterns are valid constants")
});
static ESCAPE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\\(n|"|\\)"#).expect("the patterns are valid constants"));

/// A condition on one label.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    equal: bool,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    /// As written, and anchored.
    Pattern(String, Regex),
}

impl Matcher {
    /// Creates a condition; a pattern must match the whole value.
    ///
    /// # Errors
    /// The pattern is not a regular expression.
    pub fn new(name: &str, value: &str, is_regex: bool, equal: bool) -> Result<Self, RoutingError> {
        let value = if is_regex {
            let anchored = Regex::new(&format!("^(?s:{value})$"));
            Value::Pattern(value.to_owned(), anchored.map_err(|_| RoutingError::Pattern(value.to_owned()))?)
        } else {
            Value::Text(value.to_owned())
        };
        Ok(Self { name: name.to_owned(), equal, value })
    }

    /// The label of the condition.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the labels meet the condition; an absent label counts as empty.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        let found = labels.get(&self.name).map_or("", String::as_str);
        let same = match &self.value {
            Value::Text(text) => found == text,
            Value::Pattern(_, pattern) => pattern.is_match(found),
        };
        same == self.equal
    }

    /// The label and the value that it must have, unless the condition is another.
    #[must_use]
    pub fn as_label(&self) -> Option<(&str, &str)> {
        match &self.value {
            Value::Text(value) if self.equal => Some((&self.name, value)),
            _ => None,
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operator, value) = match (&self.value, self.equal) {
            (Value::Text(value), true) => ("=", value),
            (Value::Text(value), false) => ("!=", value),
            (Value::Pattern(value, _), true) => ("=~", value),
            (Value::Pattern(value, _), false) => ("!~", value),
        };
        write!(to, "{}{operator}{value:?}", self.name)
    }
}

/// Whether the labels meet every condition.
#[must_use]
pub(super) fn all_match(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels))
}

/// The conditions of a route or of a side of an inhibit rule, in the three notations of a file: `matchers`, `match` and
/// `match_re`. A name without a value has the empty value.
pub(super) fn conditions(
    texts: &[String],
    equal: &BTreeMap<String, Option<String>>,
    match_re: &BTreeMap<String, Option<String>>,
) -> Result<Vec<Matcher>, RoutingError> {
    let mut found = Vec::new();
    for text in texts {
        found.extend(matchers(text)?);
    }
    for (is_regex, pairs) in [(false, equal), (true, match_re)] {
        for (name, value) in pairs {
            found.push(Matcher::new(name, value.as_deref().unwrap_or_default(), is_regex, true)?);
        }
    }
    Ok(found)
}

/// Parses `severity=~"a|b"` or `{alertname="X", team!=db}`: one or several matchers separated by commas.
///
/// # Errors
/// The text is not a matcher, or its pattern is not a regular expression.
pub fn matchers(text: &str) -> Result<Vec<Matcher>, RoutingError> {
    let bad = || RoutingError::Matcher(text.to_owned());
    let trimmed = text.trim();
    let inner = trimmed.strip_prefix('{').map_or(trimmed, |rest| rest.strip_suffix('}').unwrap_or(rest));
    let mut rest = inner.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let parts = MATCHER.captures(rest).ok_or_else(bad)?;
        let [all, name, operator] = [0, 1, 2].map(|part| &parts[part]);
        let value = match (parts.name("quoted"), parts.name("bare")) {
            (Some(quoted), _) => unescaped(quoted.as_str()),
            (None, bare) => bare.map_or("", |bare| bare.as_str().trim_end()).to_owned(),
        };
        found.push(Matcher::new(name, &value, operator.ends_with('~'), operator.starts_with('='))?);
        rest = &rest[all.len()..];
    }
    if found.is_empty() { Err(bad()) } else { Ok(found) }
}

/// Removes escapes. Alertmanager keeps a backslash that escapes nothing, such as `\d` in a pattern.
fn unescaped(quoted: &str) -> String {
    let meant = |found: &Captures| if &found[1] == "n" { "\n".to_owned() } else { found[1].to_owned() };
    ESCAPE.replace_all(quoted, meant).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_notation_of_matchers() {
        let pairs = [("a", "b"), ("path", "x,y\"z"), ("code", "500")];
        let api: Labels = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        for (text, expected) in [
            (r#"a="b""#, true),
            ("a=b", true),
            (" a = b ", true),
            ("{a=\"b\", code=~\"5..\"}", true),
            ("a=b,code=404", false),
            (r#"path="x,y\"z""#, true),
            (r#"code=~"\d+""#, true),
            (r#"code=~"\\d+""#, true),
            (r#""code" = "500","#, true),
            (r#"code="5\n00""#, false),
            ("code=,a=b", false),
            ("code=~50", false),
            ("code!~50", true),
            ("none=\"\"", true),
            ("none!=\"\"", false),
        ] {
            let found = matchers(text).unwrap().iter().all(|matcher| matcher.matches(&api));
            assert_eq!(found, expected, "{text}");
        }
        for text in ["", "a", "=b", "a=\"b", "a=~\"(\"", "a=\"b\" c=\"d\"", " = b", "a,b"] {
            assert!(matchers(text).is_err(), "{text}");
        }
    }
}
