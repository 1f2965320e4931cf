//! The routes of alerts are those that `amtool config routes test` finds.

use std::fs;
use std::path::Path;
use std::process::Command;

use process::program;

use crate::{Labels, decisions, draw, routes, written};

const SEED: u64 = 60;
const CONFIGURATIONS: u64 = 60;

/// Receivers of the alert's routes, separated by commas.
fn by_amtool(config: &Path, labels: &Labels) -> String {
    let mut command = Command::new(program::external("amtool").unwrap());
    command.args(["config", "routes", "test"]).arg(format!("--config.file={}", config.display()));
    // amtool takes labels as matchers of equality, in Go's quotes.
    command.args(labels.iter().map(|(name, value)| format!("{name}={value:?}")));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn routes_agree_with_amtool() {
    let folder = tempfile::tempdir().unwrap();
    let mut different = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..CONFIGURATIONS {
        let drawn = draw::configuration(SEED, number, "http://127.0.0.1:9");
        let path = folder.path().join(format!("{number}.yml"));
        fs::write(&path, &drawn.yaml).unwrap();
        let args: Vec<_> =
            drawn.alerts.iter().flat_map(|alert| ["--alert".to_owned(), written(alert)]).collect();
        for (alert, decision) in drawn.alerts.iter().zip(decisions(&path, &args)) {
            let ours: Vec<_> = decision["routes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["receiver"].as_str().unwrap())
                .collect();
            let (ours, expected) = (ours.join(","), by_amtool(&path, alert));
            if ours != expected {
                different.push(format!("{}: {ours}, amtool: {expected}\n{}", written(alert), drawn.yaml));
            }
            seen.insert(expected);
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(seen.len() >= 12, "the configurations are too much alike: {seen:?}");
}

#[test]
fn rejects_configurations_that_amtool_rejects() {
    let folder = tempfile::tempdir().unwrap();
    let receivers = "receivers: [{name: a}]\n";
    for (number, (text, says)) in [
        ("route: {receiver: b}\n", "no receiver is named `b`"),
        ("route: {receiver: a, routes: [{receiver: c}]}\n", "no receiver is named `c`"),
        ("route: {receiver: a, matchers: [x=y]}\n", "`route` must have a receiver and no matchers"),
        ("route: {group_wait: 1s}\n", "`route` must have a receiver and no matchers"),
        (
            "route: {receiver: a, routes: [{mute_time_intervals: [night]}]}\n",
            "no time interval is named `night`",
        ),
        ("route: {receiver: a, routes: [{matchers: ['x=~\"(\"']}]}\n", "is not a regular expression"),
        ("route: {receiver: a, routes: [{matchers: [x]}]}\n", "is not a matcher"),
        (
            "route: {receiver: a}\ninhibit_rules: [{source_matchers: ['x=~\"(\"']}]\n",
            "is not a regular expression",
        ),
        ("route: {receiver: a, group_wait: 10}\n", "duration"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{number}.yml"));
        fs::write(&path, format!("{text}{receivers}")).unwrap();
        let amtool =
            Command::new(program::external("amtool").unwrap()).arg("check-config").arg(&path).output();
        assert!(!amtool.unwrap().status.success(), "amtool accepts {text}");
        let output = routes(&path, &["--alert".to_owned(), "A".to_owned()]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}: {stderr}");
        assert!(stderr.contains(says) && stderr.contains(&path.display().to_string()), "{text}: {stderr}");
    }
}
