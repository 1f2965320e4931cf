//! The shipped rules have 100 % coverage. Removing the drill, the unit test or the runbook of any alert is detected,
//! which fails `make rules` and with it `make test`.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod any_text;
#[path = "../damage/mod.rs"]
mod damage;
mod secured;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// A copy of the rules, drills, tests and runbooks that tests can remove files from.
struct Holdings {
    dir: TempDir,
}

impl Holdings {
    fn copy() -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let dir = tempfile::tempdir().unwrap();
        for folder in
            ["monitoring/alert_rules", "monitoring/drills", "monitoring/rule_tests", "docs/runbooks"]
        {
            let (from, to) = (repository.join(folder), dir.path().join(folder));
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    continue; // drills outside the suite
                }
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
        Self { dir }
    }

    /// Exit code and report of the command of `make rules`.
    fn coverage(&self) -> (Option<i32>, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
        let output = command.args(["coverage", "--json"]).current_dir(self.dir.path()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        let report =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {message}"));
        (output.status.code(), report)
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        fs::read_dir(self.dir.path().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

/// The report's entry of an alert, by name and labels.
fn of<'a>(report: &'a Value, alert: &Value) -> &'a Value {
    let same = |it: &&Value| it["alert"] == alert["alert"] && it["labels"] == alert["labels"];
    report["alerts"].as_array().unwrap().iter().find(same).unwrap()
}

/// The unit tests without the expectation that this alert fires; `None` if the file has none.
fn untested(text: &str, alert: &Value) -> Option<String> {
    let mut file: Value = serde_saphyr::from_str(text).unwrap();
    let mut taken = 0;
    for test in file["tests"].as_array_mut().unwrap().iter_mut() {
        let Some(expectations) = test["alert_rule_test"].as_array_mut() else { continue };
        for it in expectations.iter_mut().filter(|it| it["alertname"] == alert["alert"]) {
            let expected = it["exp_alerts"].as_array_mut().unwrap();
            let before = expected.len();
            let labels = alert["labels"].as_object().unwrap();
            expected.retain(|it| !labels.iter().all(|(name, value)| it["exp_labels"][name] == *value));
            taken += before - expected.len();
        }
    }
    (taken > 0).then(|| file.to_string())
}

#[test]
fn shipped_rules_have_full_coverage() {
    let (code, report) = Holdings::copy().coverage();
    assert_eq!(code, Some(0), "{report:#}");
    assert!(report["alerts"].as_array().unwrap().len() >= 36, "{report:#}");
}

#[test]
fn detects_an_alert_without_a_drill() {
    let holdings = Holdings::copy();
    let (_, report) = holdings.coverage();
    for alert in report["alerts"].as_array().unwrap() {
        let drills = alert["drills"].as_array().unwrap();
        let proves = |text: &str| {
            drills.iter().any(|it| text.starts_with(&format!("drill: {}\n", it.as_str().unwrap())))
        };
        let files: Vec<_> =
            holdings.files("monitoring/drills").into_iter().map(|it| (fs::read(&it).unwrap(), it)).collect();
        let own: Vec<_> = files.iter().filter(|(text, _)| proves(&String::from_utf8_lossy(text))).collect();
        assert!(!own.is_empty() && own.len() == drills.len(), "{alert:#}");
        for (_, file) in &own {
            fs::remove_file(file).unwrap();
        }
        let (code, report) = holdings.coverage();
        assert_eq!(code, Some(5), "{alert:#}");
        assert_eq!(of(&report, alert)["drills"], serde_json::json!([]), "{alert:#}");
        for (text, file) in own {
            fs::write(file, text).unwrap();
        }
    }
}

#[test]
fn detects_an_alert_without_a_unit_test() {
    let holdings = Holdings::copy();
    let (_, report) = holdings.coverage();
    for alert in report["alerts"].as_array().unwrap() {
        let files = holdings.files("monitoring/rule_tests");
        let texts = files.iter().map(|file| (file, fs::read_to_string(file).unwrap()));
        let broken: Vec<_> = texts
            .filter_map(|(file, text)| {
                let without = untested(&text, alert)?;
                Some((file, text, without))
            })
            .collect();
        assert!(!broken.is_empty(), "{alert:#}");
        for (file, _, without) in &broken {
            fs::write(file, without).unwrap();
        }
        let (code, report) = holdings.coverage();
        assert_eq!(code, Some(5), "{alert:#}");
        assert_eq!(of(&report, alert)["tested"], false, "{alert:#}");
        for (file, before, _) in &broken {
            fs::write(file, before).unwrap();
        }
    }
}

#[test]
fn detects_an_alert_without_a_runbook() {
    let holdings = Holdings::copy();
    let (_, report) = holdings.coverage();
    for alert in report["alerts"].as_array().unwrap() {
        let name = alert["alert"].as_str().unwrap();
        let file = holdings.dir.path().join(format!("docs/runbooks/{name}.md"));
        let before = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let (code, report) = holdings.coverage();
        fs::write(&file, before).unwrap();
        assert_eq!(code, Some(5), "{name}");
        assert_eq!(of(&report, alert)["runbook"], false, "{name}");
    }
}

#[test]
fn rejects_a_directory_without_rules() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    let output =
        command.args(["coverage", "--rules"]).arg(dir.path()).current_dir(dir.path()).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{message}");
    assert!(message.contains(&dir.path().display().to_string()) && message.contains("*.rules"), "{message}");
}

#[test]
fn incomplete_drill_templates_count_as_missing() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("a.yml"),
        "groups: [{name: g, rules: [{alert: A, expr: up}, {alert: B, expr: up}]}]",
    )
    .unwrap();
    for written in [2, 0] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
        command.args(["coverage", "--write-missing", "--rules", "a.yml", "--drills", "drills"]);
        let output = command.current_dir(dir.path()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(5), "{text}");
        assert_eq!(text.matches("written: ").count(), written, "{text}");
        assert_eq!(text.matches("has no cause yet").count(), 2 - written, "{text}");
    }
}
