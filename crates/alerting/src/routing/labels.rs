//! The labels of an alert as text: `HighErrorRate,severity=critical` or `alertname="HighErrorRate", severity="critical"`.

use crate::routing::error::RoutingError;
use crate::routing::matcher::matchers;
use clients::prometheus::Labels;

/// Parses labels separated by commas, in braces or not. A first item without an operator is the value of `alertname`. A label
/// with an empty value is dropped, as Alertmanager does.
///
/// # Errors
/// The text is not a list of labels, or has a label twice.
pub fn parse(text: &str) -> Result<Labels, RoutingError> {
    let bad = || RoutingError::Labels(text.to_owned());
    let trimmed = text.trim();
    let inner = trimmed.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(trimmed).trim();
    let (first, rest) = inner.split_once(',').unwrap_or((inner, ""));
    let named = !first.contains(['=', '~', '"']);
    let mut found = Labels::new();
    if named {
        let name = first.trim();
        if name.is_empty() {
            return Err(bad());
        }
        found.insert("alertname".to_owned(), name.to_owned());
    }
    let rest = if named { rest } else { inner };
    if !rest.trim().is_empty() {
        for matcher in matchers(rest).map_err(|_| bad())? {
            let (name, value) = matcher.as_label().ok_or_else(bad)?;
            if found.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(bad());
            }
        }
    }
    found.retain(|_, value| !value.is_empty());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_labels_with_and_without_a_name() {
        for (text, expected) in [
            ("A", &[("alertname", "A")][..]),
            (" A , severity = critical ", &[("alertname", "A"), ("severity", "critical")]),
            ("severity=critical", &[("severity", "critical")]),
            (r#"{alertname="A", path="x,y\"z"}"#, &[("alertname", "A"), ("path", "x,y\"z")]),
            ("A,team=", &[("alertname", "A")]),
            ("A,", &[("alertname", "A")]),
        ] {
            let expected: Labels =
                expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn rejects_what_is_not_a_label() {
        for text in ["", "{}", ",a=b", "a=~b", "A,a!=b", "A,B", "a=b,a=c", "A,alertname=B", "a=\"b"] {
            assert_eq!(parse(text), Err(RoutingError::Labels(text.to_owned())), "{text}");
        }
    }
}
