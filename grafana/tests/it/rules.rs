//! The dashboards follow the rules of dashboard-linter, except where `.lint` has a reason.

use dashboards::lint::exceptions::Exceptions;
use dashboards::lint::{Finding, check};
use serde_json::{Value, json};

use crate::files::shipped;

fn exceptions() -> Exceptions {
    let text = std::fs::read_to_string(dashboards::folder().join("dashboards/.lint")).unwrap();
    Exceptions::parse(&text).unwrap_or_else(|error| panic!(".lint: {error}"))
}

fn findings() -> Vec<Finding> {
    shipped().iter().flat_map(check).collect()
}

#[test]
fn every_finding_has_an_exception() {
    let left = exceptions().unexcused(&findings());
    let lines: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert!(left.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn every_exception_has_a_finding() {
    let (exceptions, findings) = (exceptions(), findings());
    assert_eq!(exceptions.idle(&findings), [], "unused exceptions");
    for (rule, exception) in &exceptions.exclusions {
        assert!(exception.reason.len() > 40, "{rule}: the reason `{}` is too short", exception.reason);
    }
}

/// Each change to a valid dashboard is found, under the violated rule.
#[test]
fn finds_a_violation_of_each_rule() {
    type Damage = fn(&mut Value);
    let damages: [(&str, Damage); 11] = [
        ("template-datasource-rule", |it| it["templating"]["list"][0]["name"] = json!("ds")),
        ("template-job-rule", |it| it["templating"]["list"][1]["allValue"] = json!(".*")),
        ("template-instance-rule", |it| it["templating"]["list"][2]["multi"] = json!(false)),
        ("template-on-time-change-reload-rule", |it| it["templating"]["list"][1]["refresh"] = json!(1)),
        ("template-label-promql-rule", |it| {
            it["templating"]["list"][1]["query"]["query"] = json!("label_values(a{, job)")
        }),
        ("uneditable-dashboard", |it| it["editable"] = json!(true)),
        ("panel-datasource-rule", |it| it["panels"][0]["datasource"]["uid"] = json!("mine")),
        ("panel-title-description-rule", |it| it["panels"][0]["description"] = json!(" ")),
        ("panel-units-rule", |it| it["panels"][0]["fieldConfig"]["defaults"]["unit"] = json!("parsecs")),
        ("panel-no-targets-rule", |it| it["panels"][0]["targets"] = json!([])),
        ("target-promql-rule", |it| it["panels"][0]["targets"][0]["expr"] = json!("sum(")),
    ];
    let good = shipped().remove(0);
    assert_eq!(check(&good), [], "the first dashboard needs no exception");
    for (rule, damage) in damages {
        let mut bad = good.clone();
        damage(&mut bad);
        let broken: Vec<&str> = check(&bad).iter().map(|finding| finding.rule).collect();
        assert_eq!(broken, [rule]);
    }
}
