//! Alerts and unit tests from files, alerts from a running Prometheus.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::alert::{Alert, Tested};
use crate::error::{CoverageError, Reason, bad, unread};
use clients::prometheus::RuleGroup;

#[derive(Deserialize)]
struct RuleFile {
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    alert: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct TestFile {
    #[serde(default)]
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    #[serde(default)]
    alert_rule_test: Vec<AlertTest>,
}

#[derive(Deserialize)]
struct AlertTest {
    alertname: String,
    #[serde(default)]
    exp_alerts: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(default)]
    exp_labels: BTreeMap<String, String>,
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, CoverageError> {
    let text = fs::read_to_string(path).map_err(unread(path))?;
    serde_saphyr::from_str(&text).map_err(|error| bad(path)(error.without_snippet()))
}

/// What rule files and their tests are called: `promtool` asks for nothing, and these are the customs.
const ENDINGS: [&str; 3] = ["yml", "yaml", "rules"];

/// The files of these endings in a directory, not deeper, or the file itself.
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
/// The file that cannot be read or understood, and that there is no alert: of nothing, everything is covered.
pub fn alerts(path: &Path) -> Result<Vec<Alert>, CoverageError> {
    let mut found = Vec::new();
    let files = files(path)?;
    if files.is_empty() {
        return Err(Reason::NoFile(ENDINGS.join(", *.")).of(path));
    }
    let count = files.len();
    for file in files {
        let rules: RuleFile = read(&file)?;
        let origin = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for rule in rules.groups.into_iter().flat_map(|group| group.rules) {
            if let Some(name) = rule.alert {
                found.push(Alert { name, labels: rule.labels, origin: origin.clone() });
            }
        }
    }
    if found.is_empty() {
        return Err(Reason::NoAlert(count).of(path));
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
/// The file that cannot be read or understood.
pub fn tested(path: &Path) -> Result<Vec<Tested>, CoverageError> {
    let mut found = Vec::new();
    for file in files(path)? {
        let file: TestFile = read(&file)?;
        for test in file.tests.into_iter().flat_map(|test| test.alert_rule_test) {
            let name = test.alertname;
            found.extend(test.exp_alerts.into_iter().map(|expected| (name.clone(), expected.exp_labels)));
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
