//! Labels and annotations of every alert rule.

use std::path::Path;

use serde_json::{Value, json};

use crate::files::shipped;

/// Valid values of the label `service`.
const SERVICES: [&str; 5] = ["api", "redis", "stack", "host", "monitoring"];

/// Findings about the groups of a rule file. `dashboards` are the existing uids.
fn findings(groups: &[Value], dashboards: &[String], runbooks: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for group in groups {
        let rules = group["rules"].as_array().unwrap();
        let first = rules.iter().position(|rule| rule["alert"].is_string()).unwrap_or(rules.len());
        for rule in rules.iter().skip(first).filter(|rule| rule["record"].is_string()) {
            findings.push(format!("{}: recorded after an alert", rule["record"]));
        }
        for rule in rules {
            let Some(name) = rule["alert"].as_str() else { continue };
            let mut find = |what: &str| findings.push(format!("{name}: {what}"));
            let text = |kind: &str, key: &str| rule[kind][key].as_str().unwrap_or_default().trim().to_owned();
            if !["critical", "warning", "none"].contains(&text("labels", "severity").as_str()) {
                find("severity");
            }
            if !SERVICES.contains(&text("labels", "service").as_str()) {
                find("service");
            }
            let symptom = text("labels", "symptom");
            if symptom.is_empty() || symptom.contains(|c: char| !c.is_ascii_lowercase() && c != '-') {
                find("symptom");
            }
            // A changing label value creates a new alert.
            if rule["labels"].to_string().contains("{{") {
                find("a value in a label");
            }
            for key in ["summary", "description"] {
                if text("annotations", key).len() < 15 {
                    find(key);
                }
            }
            let words: String = text("annotations", "description").split_whitespace().collect();
            if words.contains("{{$value}}") {
                find("an unformatted value");
            }
            let runbook = format!("http://127.0.0.1:8025/runbooks/{name}");
            if text("annotations", "runbook_url") != runbook || !runbooks.join(format!("{name}.md")).is_file()
            {
                find("runbook_url");
            }
            let address = text("annotations", "dashboard_url");
            let uid = address.strip_prefix("http://127.0.0.1:3000/d/");
            if !dashboards.iter().any(|it| Some(it.as_str()) == uid) {
                find("dashboard_url");
            }
        }
    }
    findings
}

fn every_file() -> Vec<Value> {
    let mut groups = Vec::new();
    for entry in std::fs::read_dir(dashboards::folder().join("../monitoring/alert_rules")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let file: Value = serde_saphyr::from_str(&text).unwrap();
        groups.extend(file["groups"].as_array().unwrap().clone());
    }
    groups
}

fn found(groups: &[Value]) -> Vec<String> {
    let uids: Vec<String> = shipped().iter().map(|board| board["uid"].as_str().unwrap().to_owned()).collect();
    findings(groups, &uids, &dashboards::folder().join("../docs/runbooks"))
}

#[test]
fn every_alert_has_its_labels_and_annotations() {
    let groups = every_file();
    assert_eq!(groups.len(), 9);
    assert_eq!(found(&groups), Vec::<String>::new());
}

/// Each change to a valid alert is found.
#[test]
fn finds_a_violation_of_each_lint() {
    type Damage = fn(&mut Value);
    let damages: [(&str, Damage); 10] = [
        ("severity", |it| it["labels"]["severity"] = json!("page")),
        ("service", |it| drop(it["labels"].as_object_mut().unwrap().remove("service"))),
        ("symptom", |it| it["labels"]["symptom"] = json!("")),
        ("a value in a label", |it| it["labels"]["share"] = json!("{{ $value }}")),
        ("summary", |it| drop(it["annotations"].as_object_mut().unwrap().remove("summary"))),
        ("description", |it| it["annotations"]["description"] = json!(" ")),
        ("an unformatted value", |it| {
            it["annotations"]["description"] = json!("It is handling {{ $value }} requests at once.")
        }),
        ("runbook_url", |it| {
            it["annotations"]["runbook_url"] = json!("http://127.0.0.1:8025/runbooks/Other")
        }),
        ("runbook_url", |it| drop(it["annotations"].as_object_mut().unwrap().remove("runbook_url"))),
        ("dashboard_url", |it| it["annotations"]["dashboard_url"] = json!("http://127.0.0.1:3000/d/none")),
    ];
    let groups = every_file();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    let good = rules.into_iter().find(|rule| rule["alert"] == "HighErrorRate").unwrap();
    for (what, damage) in damages {
        let mut bad = good.clone();
        damage(&mut bad);
        assert_eq!(found(&[json!({"rules": [bad]})]), [format!("HighErrorRate: {what}")]);
    }
    let late = json!({"rules": [good, {"record": "a:b", "expr": "c"}]});
    assert_eq!(found(&[late]), ["\"a:b\": recorded after an alert"]);
}
