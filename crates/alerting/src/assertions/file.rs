//! The file of assertions.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_saphyr::Spanned;

use clients::prometheus::Labels;
use common::source_error::FileError;
use common::{duration, yaml};

/// A file: `assertions:` with a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AssertionFile {
    assertions: Vec<Spanned<Assertion>>,
}

/// An alert, and what must be done with it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// Name in reports.
    pub name: String,
    /// All labels of the alert.
    pub alert: Labels,
    /// The alerts that are active at the same time.
    #[serde(default)]
    pub active: Vec<Labels>,
    /// The time; needed where a time interval decides.
    pub at: Option<Timestamp>,
    /// What must be done with it.
    pub expect: Expected,
}

/// What must be done with an alert. What is not given is not checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The receivers that are notified, in any order; none of an inhibited alert.
    pub notified: Option<Vec<String>>,
    /// The receivers that a time interval mutes, in any order.
    pub muted: Option<Vec<String>>,
    /// Whether an active alert inhibits it.
    pub inhibited: Option<bool>,
    /// Settings of the routes, by receiver.
    #[serde(default)]
    pub routes: BTreeMap<String, RouteSettings>,
}

/// Settings that every route to a receiver must have.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteSettings {
    /// Labels by which alerts are grouped, in any order.
    pub group_by: Option<Vec<String>>,
    /// The wait before the first notification of a group.
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    pub group_wait: Option<Duration>,
    /// The time between notifications of a group that changes.
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    pub group_interval: Option<Duration>,
    /// The time after which an unchanged group is sent again.
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    pub repeat_interval: Option<Duration>,
}

impl Expected {
    fn is_empty(&self) -> bool {
        self.notified.is_none() && self.muted.is_none() && self.inhibited.is_none() && self.routes.is_empty()
    }
}

/// Parses a file.
///
/// # Errors
/// The first mistake with its place: no YAML, no assertions, a name twice, nothing expected, a label that is empty.
pub fn parse(path: &Path, text: &str) -> Result<Vec<Assertion>, FileError> {
    let file: Option<AssertionFile> = yaml::document(text).map_err(|error| FileError::yaml(path, &error))?;
    let found = file.map(|file| file.assertions).unwrap_or_default();
    if found.is_empty() {
        return Err(FileError::file(path, "no assertions: expected `assertions:` with a list".to_owned()));
    }
    for (index, it) in found.iter().enumerate() {
        let assertion = &it.value;
        let reason = if found[..index].iter().any(|other| other.value.name == assertion.name) {
            format!("duplicate name `{}`: give each assertion a different name", assertion.name)
        } else if assertion.expect.is_empty() {
            "`expect` is empty: expected notified, muted, inhibited or routes".to_owned()
        } else if assertion.alert.is_empty() {
            "`alert` has no labels: expected labels such as {alertname: HighErrorRate}".to_owned()
        } else {
            continue;
        };
        return Err(FileError::at(path, it.referenced, reason));
    }
    Ok(found.into_iter().map(|it| without_empty_labels(it.value)).collect())
}

/// Alertmanager drops labels with empty values.
fn without_empty_labels(mut assertion: Assertion) -> Assertion {
    for labels in assertion.active.iter_mut().chain([&mut assertion.alert]) {
        labels.retain(|_, value| !value.is_empty());
    }
    assertion
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_key() {
        let text = "
assertions:
  - name: pages
    alert: {alertname: A, team: ''}
    active: [{alertname: B}]
    at: 2026-11-30T03:00:00Z
    expect:
      notified: [pager]
      muted: []
      inhibited: false
      routes: {pager: {group_by: [job], group_wait: 10s, group_interval: 1m, repeat_interval: 4h}}
";
        let found = parse(Path::new("a.yaml"), text).unwrap();
        assert_eq!(found[0].alert.len(), 1);
        assert_eq!(found[0].expect.routes["pager"].group_wait, Some(Duration::from_secs(10)));
        assert_eq!(found[0].at.unwrap().to_string(), "2026-11-30T03:00:00Z");
    }

    #[test]
    fn rejects_files_that_assert_nothing() {
        for (text, says) in [
            ("", "a.yaml: no assertions: expected `assertions:` with a list"),
            ("assertions: []\n", "a.yaml: no assertions"),
            (
                "assertions:\n  - {name: a, alert: {x: y}, expect: {}}\n",
                "a.yaml:2:5: `expect` is empty: expected notified, muted, inhibited or routes",
            ),
            (
                "assertions:\n  - {name: a, alert: {}, expect: {notified: []}}\n",
                "a.yaml:2:5: `alert` has no labels",
            ),
            (
                "assertions:\n  - &a {name: a, alert: {x: y}, expect: {notified: []}}\n  - *a\n",
                "a.yaml:3:5: duplicate name `a`",
            ),
            (
                "assertions:\n  - {name: a, alert: {x: y}, expect: {receivers: []}}\n",
                "unknown field `receivers`",
            ),
            ("assertions:\n  - {name: a, alert: {x: y}, at: noon, expect: {notified: []}}\n", "a.yaml:2:"),
        ] {
            let error = parse(Path::new("a.yaml"), text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
