//! Any content of rule, test, drill, scenario and configuration files is parsed or rejected, never an abort.

use std::fs;
use std::path::Path;

use crate::damage::{any_text, damaged};
use alerting::routing::tree::Routing;
use coverage::rules;
use drill::file::drill;
use load::spec::scenario::Scenario;
use proptest::prelude::*;

const RULES: &str = "groups:\n- name: g\n  labels: {team: a}\n  rules:\n  - alert: A\n    expr: rate(x[5m]) > 1\n    for: &f 5m\n    labels: {held: *f}\n";
const TESTS: &str = "rule_files: [a.yml]\ntests:\n- interval: 15s\n  alert_rule_test:\n  - {eval_time: 5m, alertname: A, exp_alerts: [{exp_labels: {a: b}}]}\n";
const DRILL: &str = "drill: api-down\nproves: {alert: APIDown, labels: {severity: critical}}\nsummary: text\nbaseline: {rate: 10/s, requests: [{get: /}]}\n\
    cause:\n  load: {rate: 40/s, requests: [{weight: 5, post: /a, expect: 202, body: {a: [{b: 1}]}}]}\nobjective: {notified: 10m, all_clear: 20m}\nexpect: {delivered: [webhook]}\n";
const SCENARIO: &str = "scenario: own\ntrips: nothing\nstages:\n- {duration: 1s, rate: 20/s}\n- {burst: 30}\nrequests:\n- {weight: 3, get: /api/users, expect: [200, 404]}\n";
const ALERTMANAGER: &str = "global: {resolve_timeout: 5m}\nroute: {receiver: a, group_by: [b], routes: [{matchers: ['a=\"b\"', c=~d], receiver: a, continue: true}]}\n\
    receivers: [{name: a, webhook_configs: [{url: 'http://a:1/'}]}]\ntime_intervals: [{name: t, time_intervals: [{weekdays: ['monday:friday']}]}]\n";
const FILES: [&str; 5] = [RULES, TESTS, DRILL, SCENARIO, ALERTMANAGER];

/// Passes a text to every parser.
fn read(text: &str) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.yml");
    fs::write(&file, text).unwrap();
    let path = Path::new("a.yml");
    let refusals = [
        rules::alerts(&file).err().map(|error| error.to_string()),
        rules::tested(&file).err().map(|error| error.to_string()),
        drill::parse(path, text).err().map(|error| error.to_string()),
        Scenario::parse(path, text).err().map(|error| error.to_string()),
        Routing::parse(text).err().map(|error| error.to_string()),
    ];
    for refusal in refusals.into_iter().flatten() {
        for word in ["Option<", "from_str", "Cow<", "deserialize", "untagged"] {
            assert!(!refusal.contains(word) || text.contains(word), "{word}: {refusal}: {text}");
        }
    }
}

#[test]
fn rejects_excessive_nesting() {
    for part in ["[", "{a: ", "- ", "? ", "(", "a:\n "] {
        read(&part.repeat(200_000));
        for text in FILES {
            read(&format!("{text}more: {}", part.repeat(20_000)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_parsed_or_rejected(text in any_text()) {
        read(&text);
    }

    #[test]
    fn damaged_files_are_parsed_or_rejected(
        text in prop::sample::select(&FILES[..]).prop_flat_map(|text| damaged(text.to_owned())),
    ) {
        read(&text);
    }
}
