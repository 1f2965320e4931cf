//! Conditions on labels, as routes and silences have them.
//!
//! Source: <https://prometheus.io/docs/alerting/latest/configuration/#matcher>.

use regex::Regex;

use crate::routing::error::RoutingError;
use clients::prometheus::Labels;

/// One condition on a label.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    equal: bool,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    Pattern(Regex),
}

impl Matcher {
    /// A condition; a pattern must match the whole value.
    ///
    /// # Errors
    /// When the pattern is not a regular expression.
    pub fn new(name: &str, value: &str, is_regex: bool, equal: bool) -> Result<Self, RoutingError> {
        let value = if is_regex {
            let anchored = format!("^(?s:{value})$");
            Value::Pattern(Regex::new(&anchored).map_err(|_| RoutingError::Pattern(value.to_owned()))?)
        } else {
            Value::Text(value.to_owned())
        };
        Ok(Self { name: name.to_owned(), equal, value })
    }

    /// The label it looks at.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the labels meet it; an absent label counts as empty.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        let found = labels.get(&self.name).map_or("", String::as_str);
        let same = match &self.value {
            Value::Text(text) => found == text,
            Value::Pattern(pattern) => pattern.is_match(found),
        };
        same == self.equal
    }
}

/// Reads `severity=~"a|b"`, `{alertname="X", team!=db}`, one or several separated by commas.
///
/// # Errors
/// When the text is not a matcher, or a pattern of it not a regular expression.
pub fn matchers(text: &str) -> Result<Vec<Matcher>, RoutingError> {
    let bad = || RoutingError::Matcher(text.to_owned());
    let trimmed = text.trim();
    let inner = trimmed.strip_prefix('{').map_or(trimmed, |rest| rest.strip_suffix('}').unwrap_or(rest));
    let mut rest = inner.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let at = rest.find(['=', '!']).ok_or_else(bad)?;
        let (name, after) = rest.split_at(at);
        let name = name.trim().trim_matches('"');
        let (operator, after) = ["=~", "!~", "!=", "="]
            .into_iter()
            .find_map(|operator| after.strip_prefix(operator).map(|after| (operator, after.trim_start())))
            .ok_or_else(bad)?;
        let (value, after) = value(after).ok_or_else(bad)?;
        if name.is_empty() {
            return Err(bad());
        }
        found.push(Matcher::new(name, &value, operator.ends_with('~'), operator.starts_with('='))?);
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if after.is_empty() => after,
            None => return Err(bad()),
        };
    }
    if found.is_empty() { Err(bad()) } else { Ok(found) }
}

/// A value, quoted or bare, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return Some((text[..end].trim_end().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\') => value.push(escaped),
                // Alertmanager keeps a backslash that escapes nothing: `\d` in a pattern.
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_in_all_their_spellings() {
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
            ("code=~50", false),
            ("code!~50", true),
            ("none=\"\"", true),
            ("none!=\"\"", false),
        ] {
            let found = matchers(text).unwrap().iter().all(|matcher| matcher.matches(&api));
            assert_eq!(found, expected, "{text}");
        }
        for text in ["", "a", "=b", "a=\"b", "a=~\"(\"", "a=\"b\" c=\"d\""] {
            assert!(matchers(text).is_err(), "{text}");
        }
    }
}
