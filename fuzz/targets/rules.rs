//! Any text is read or rejected as a rule file, by scaling, by coverage and, as Prometheus shows it, by drills.
#![no_main]

#[path = "../scaled.rs"]
mod scaled;

use std::path::Path;
use std::time::Duration;

use alerting::document::rule_groups::rule_groups;
use alerting::document::tree::{self, Node};
use alerting::scale::PROMETHEUS_FILE;
use clients::prometheus::{Alerting, Labels, Rule, RuleGroup};
use coverage::{Holdings, cover, rules, scaffold};
use drill::file::drill::without_cause;
use drill::rule;
use libfuzzer_sys::fuzz_target;

const NAME: &str = "rules.yml";

fuzz_target!(|text: &str| {
    scaled::by_20(&[(PROMETHEUS_FILE, scaled::PROMETHEUS), (NAME, text)]);
    let alerts = rules::alerts_in(Path::new(NAME), text).unwrap_or_default();
    for covered in cover(&alerts, &Holdings::default()) {
        let drill = without_cause(&scaffold::text("name", &covered)).expect("a scaffold is a drill");
        assert_eq!((drill.proves.alert.value, drill.proves.labels), (covered.alert, covered.labels));
    }
    let groups = loaded(text);
    for rule in groups.iter().filter_map(|group| group.rules.last()) {
        let _ = (rule::gather(&groups, &rule.name, &Labels::new(), None), rule::falls(&groups, rule));
    }
});

/// The rules as Prometheus would have loaded them.
fn loaded(text: &str) -> Vec<RuleGroup> {
    let Ok(root) = tree::parse(text) else { return Vec::new() };
    let Ok(groups) = rule_groups(NAME, &root) else { return Vec::new() };
    let value = |node: &Node, key: &str| node.get(key).and_then(Node::scalar).unwrap_or_default().to_owned();
    let time = |node: &Node, key: &str| common::duration::parse(&value(node, key)).unwrap_or_default();
    let rule = |node: &Node| Rule {
        name: value(node, "alert") + &value(node, "record"),
        query: value(node, "expr"),
        health: "ok".to_owned(),
        last_error: String::new(),
        last_evaluation: None,
        alerting: node.get("alert").map(|_| Alerting {
            hold: time(node, "for"),
            keep_firing: time(node, "keep_firing_for"),
            labels: Labels::new(),
            state: "inactive".to_owned(),
            alerts: Vec::new(),
        }),
    };
    let group = |node: &Node| RuleGroup {
        name: value(node, "name"),
        file: NAME.to_owned(),
        interval: time(node, "interval").max(Duration::from_secs(1)),
        query_offset: time(node, "query_offset"),
        rules: node.get("rules").and_then(Node::items).unwrap_or_default().iter().map(rule).collect(),
        ..RuleGroup::default()
    };
    groups.iter().map(|found| group(found.node)).collect()
}
