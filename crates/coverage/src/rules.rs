//! Alerts and unit tests from files, alerts from a running Prometheus.

use std::fs;
use std::path::{Path, PathBuf};

use crate::alert::{Alert, Tested};
use crate::error::{CoverageError, Reason, bad, unread};
use alerting::document::rule_groups::{is_rule_file, rule_groups};
use alerting::document::tree::{self, Node};
use clients::prometheus::{Labels, RuleGroup};

fn read(path: &Path) -> Result<Option<Node>, CoverageError> {
    parse(path, &fs::read_to_string(path).map_err(unread(path))?)
}

/// The tree of a file; `None` if the file is empty.
fn parse(path: &Path, text: &str) -> Result<Option<Node>, CoverageError> {
    if tree::is_empty(text) {
        return Ok(None);
    }
    let root = tree::parse(text).map_err(|(line, reason)| bad(path)(format!("line {line}: {reason}")))?;
    if root.is_map() { Ok(Some(root)) } else { Err(expected(path, &root, "", "a map such as `groups:`")) }
}

/// The items under a key; none if the key is missing or empty.
fn list<'a>(path: &Path, node: &'a Node, key: &str) -> Result<&'a [Node], CoverageError> {
    match node.get(key).filter(|value| !value.is_null()) {
        None => Ok(&[]),
        Some(value) => value.items().ok_or_else(|| expected(path, value, key, "a list")),
    }
}

/// The labels under a key. A name without a value has an empty value, as in Prometheus.
fn labels(path: &Path, node: &Node, key: &str) -> Result<Labels, CoverageError> {
    let Some(map) = node.get(key).filter(|value| !value.is_null()) else { return Ok(Labels::new()) };
    if !map.is_map() {
        return Err(expected(path, map, key, "labels with their values, such as {severity: page}"));
    }
    let label = |(name, value): &(String, Node)| match value.scalar() {
        _ if value.is_null() => Ok((name.clone(), String::new())),
        Some(text) => Ok((name.clone(), text.to_owned())),
        None => Err(expected(path, value, &format!("{key}.{name}"), "text")),
    };
    map.entries().iter().map(label).collect()
}

fn expected(path: &Path, node: &Node, field: &str, what: &str) -> CoverageError {
    let field = if field.is_empty() { String::new() } else { format!(" {field}:") };
    bad(path)(format!("line {}:{field} expected {what}", node.line))
}

/// The extensions of rule files and their tests: `promtool` requires none, and these are common.
const ENDINGS: [&str; 3] = ["yml", "yaml", "rules"];

/// The files with these extensions in a directory (not recursive), or the file itself.
fn files(path: &Path) -> Result<Vec<PathBuf>, CoverageError> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(unread(path))?;
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .filter(|path| path.extension().is_some_and(|it| ENDINGS.iter().any(|ending| it == *ending)))
        .collect();
    found.sort();
    Ok(found)
}

/// Every alert of a rule file or a directory of them.
///
/// # Errors
/// A file cannot be read or parsed, or there is no alert.
pub fn alerts(path: &Path) -> Result<Vec<Alert>, CoverageError> {
    let mut found = Vec::new();
    let files = files(path)?;
    if files.is_empty() {
        return Err(Reason::NoFile(ENDINGS.join(", *.")).of(path));
    }
    let count = files.len();
    for file in files {
        // A directory may contain other files.
        let Some(root) = read(&file)?.filter(|root| file == path || is_rule_file(root)) else { continue };
        found.extend(alerts_below(&file, &root)?);
    }
    if found.is_empty() {
        return Err(Reason::NoAlert(count).of(path));
    }
    Ok(found)
}

/// Every alert in the text of the rule file `path`.
///
/// # Errors
/// The text is not a rule file.
pub fn alerts_in(path: &Path, text: &str) -> Result<Vec<Alert>, CoverageError> {
    parse(path, text)?.map_or(Ok(Vec::new()), |root| alerts_below(path, &root))
}

fn alerts_below(file: &Path, root: &Node) -> Result<Vec<Alert>, CoverageError> {
    let mut found = Vec::new();
    let origin = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let groups = rule_groups("", root).map_err(|error| {
        let line = error.line.unwrap_or(1);
        bad(file)(format!("line {line}: {}: {}", error.field, error.reason))
    })?;
    for group in groups {
        let shared = labels(file, group.node, "labels")?;
        for rule in list(file, group.node, "rules")? {
            if let Some(name) = rule.get("alert").filter(|name| name.scalar() != Some("") && !name.is_null())
            {
                let name = name.scalar().ok_or_else(|| expected(file, name, "alert", "a name"))?;
                // A rule's own labels override those of its group.
                let mut all = shared.clone();
                all.extend(labels(file, rule, "labels")?);
                found.push(Alert { name: name.to_owned(), labels: all, origin: origin.clone() });
            }
        }
    }
    Ok(found)
}

/// Every alert that Prometheus has loaded.
#[must_use]
pub fn loaded(groups: &[RuleGroup]) -> Vec<Alert> {
    let rules = groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
    rules
        .filter_map(|(group, rule)| {
            let labels = rule.alerting.as_ref()?.labels.clone();
            let origin = group.file.rsplit('/').next().unwrap_or_default().to_owned();
            Some(Alert { name: rule.name.clone(), labels, origin })
        })
        .collect()
}

/// The alerts that promtool unit tests expect to fire, with the labels they expect.
///
/// # Errors
/// A file cannot be read or parsed.
pub fn tested(path: &Path) -> Result<Vec<Tested>, CoverageError> {
    let mut found = Vec::new();
    for file in files(path)? {
        let Some(root) = read(&file)? else { continue };
        for test in list(&file, &root, "tests")? {
            for test in list(&file, test, "alert_rule_test")? {
                let name = test.get("alertname").and_then(Node::scalar);
                let name = name.ok_or_else(|| expected(&file, test, "alertname", "a name"))?;
                for alert in list(&file, test, "exp_alerts")? {
                    found.push((name.to_owned(), labels(&file, alert, "exp_labels")?));
                }
            }
        }
    }
    Ok(found)
}

/// The names of the `*.md` files of a directory.
///
/// # Errors
/// When it cannot be read.
pub fn runbooks(path: &Path) -> Result<std::collections::BTreeSet<String>, CoverageError> {
    let entries = fs::read_dir(path).map_err(unread(path))?;
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_string_lossy().strip_suffix(".md").map(str::to_owned));
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "groups: [{name: g, rules: [{alert: X, expr: up == 0}]}]";

    #[test]
    fn rule_files_are_found_by_the_endings_in_use() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.rules", "b.yml", "c.yaml", "d.txt", "e.yml.orig"] {
            fs::write(dir.path().join(name), RULES).unwrap();
        }
        let found = alerts(dir.path()).unwrap();
        assert_eq!(
            found.iter().map(|it| it.origin.as_str()).collect::<Vec<_>>(),
            ["a.rules", "b.yml", "c.yaml"]
        );
    }

    fn of(text: &str) -> Result<Vec<Alert>, CoverageError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.yml");
        fs::write(&file, text).unwrap();
        alerts(&file)
    }

    #[test]
    fn labels_are_as_prometheus_shows_them() {
        let shown = |text: &str| {
            let found = of(text).unwrap();
            found.iter().map(|it| format!("{} {:?}", it.name, it.labels)).collect::<Vec<_>>()
        };
        let nothing = "groups:\n  - name: g\n    rules:\n      - alert: HostDown\n        expr: up == 0\n        labels:\n          severity: page\n          team:\n---\n";
        assert_eq!(shown(nothing), [r#"HostDown {"severity": "page", "team": ""}"#]);
        let group = "groups: [{name: g, labels: {team: a, severity: info}, limit: 5, query_offset: 1m, rules: [&a {alert: A, labels: &l {severity: 1}}, {<<: *a, alert: B}, \
                     {alert: C, labels: *l}, {alert: '', record: x}, {record: y}, {alert: D, labels: }]}, {name: h, rules: }]\n";
        let both = r#"{"severity": "1", "team": "a"}"#;
        let own = r#"D {"severity": "info", "team": "a"}"#;
        assert_eq!(
            shown(group),
            [format!("A {both}"), format!("B {both}"), format!("C {both}"), own.to_owned()]
        );
        let manifest =
            "kind: PrometheusRuleList\nitems: [{spec: {groups: [{name: g, rules: [{alert: A}]}]}}]\n";
        assert_eq!(shown(manifest), ["A {}"]);
    }

    #[test]
    fn what_is_wrong_is_said_in_plain_words() {
        for (text, says) in [
            ("groups: [{rules: {}}]", "line 1: rules: expected a list"),
            (
                "groups: [{rules: [{alert: A, labels: x}]}]",
                "line 1: labels: expected labels with their values",
            ),
            ("groups: [{rules: [{alert: A, labels: {a: [b]}}]}]", "line 1: labels.a: expected text"),
            ("groups: [{rules: [{alert: [A]}]}]", "line 1: alert: expected a name"),
            ("alerts: []", "line 1: groups: is missing"),
            ("- a", "line 1: expected a map"),
            ("groups: [", "line 1: unclosed bracket"),
        ] {
            let said = of(text).unwrap_err().to_string();
            assert!(said.contains(says) && !said.contains("Option<"), "{text}: {said}");
        }
        assert!(of(&"[".repeat(200_000)).is_err());
    }

    #[test]
    fn nothing_to_cover_is_a_mistake() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("deeper.yml")).unwrap();
        fs::write(dir.path().join("notes.txt"), RULES).unwrap();
        let said = alerts(dir.path()).unwrap_err().to_string();
        let folder = dir.path().display().to_string();
        assert!(said.starts_with(&folder) && said.contains("*.yml, *.yaml, *.rules"), "{said}");
        fs::write(dir.path().join("a.rules"), "groups: [{name: g, rules: [{record: x, expr: up}]}]").unwrap();
        let said = alerts(dir.path()).unwrap_err().to_string();
        assert!(said.starts_with(&folder) && said.contains("no alert found"), "{said}");
    }
}
