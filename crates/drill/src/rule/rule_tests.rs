use super::*;

fn rule(name: &str, query: &str, severity: &str) -> Rule {
    Rule {
        name: name.into(),
        query: query.into(),
        health: "ok".into(),
        last_error: String::new(),
        last_evaluation: None,
        alerting: (!severity.is_empty()).then(|| Alerting {
            hold: Duration::from_secs(60),
            keep_firing: Duration::ZERO,
            labels: Labels::from([
                ("severity".into(), severity.into()),
                ("t".into(), "{{ $labels.t }}".into()),
            ]),
            state: "inactive".into(),
            alerts: Vec::new(),
        }),
    }
}

fn groups() -> Vec<RuleGroup> {
    vec![RuleGroup {
        name: "api".into(),
        file: "api.yml".into(),
        interval: Duration::from_secs(10),
        rules: vec![
            rule("share:rate5m", "rate(errors_total[5m]) / rate(all_total[5m])", ""),
            rule("High", "share:rate5m > 0.05", "warning"),
            rule("Burn", "rate(errors_total[1h]) > 3", "critical"),
            rule("Burn", "rate(errors_total[6h]) > 1", "warning"),
            rule("Bare", "up", "warning"),
        ],
        ..RuleGroup::default()
    }]
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn gathers_the_rule_with_its_recording_rules() {
    let rule_under_test =
        gather(&groups(), "High", &labels(&[("severity", "warning"), ("t", "x")]), None).unwrap();
    let longest = rule_under_test.sources.longest(|path| path.lookback);
    assert_eq!((longest.lookback, longest.rise), (Duration::from_secs(300), Duration::ZERO));
    assert_eq!(rule_under_test.threshold.as_ref().unwrap().value, 0.05);
    assert_eq!(
        rule_under_test.sources.selectors.iter().map(|s| s.metric.as_str()).collect::<Vec<_>>(),
        ["all_total", "errors_total"]
    );
    assert_eq!(rule_under_test.known, labels(&[("alertname", "High"), ("severity", "warning"), ("t", "x")]));
    assert_eq!(rule_under_test.evaluation, Duration::from_secs(10));
    assert!(rule_under_test.owns(&labels(&[
        ("alertname", "High"),
        ("severity", "warning"),
        ("t", "x"),
        ("job", "a")
    ])));
    assert!(!rule_under_test.owns(&labels(&[("alertname", "High"), ("severity", "warning")])));
}

#[test]
fn selects_by_label_among_rules_that_share_a_name() {
    let of = |severity| gather(&groups(), "Burn", &labels(&[("severity", severity)]), None).unwrap().query;
    assert_eq!(of("critical"), "rate(errors_total[1h]) > 3");
    assert_eq!(of("warning"), "rate(errors_total[6h]) > 1");
}

#[test]
fn errors_list_the_loaded_alerts() {
    let missing = gather(&groups(), "Hihg", &Labels::new(), None).unwrap_err().to_string();
    assert_eq!(missing, "no loaded rule defines the alert `Hihg`: Prometheus has Bare, Burn, High");
    let other =
        gather(&groups(), "High", &labels(&[("severity", "critical")]), None).unwrap_err().to_string();
    assert!(
        other.contains("severity=\"warning\"") && other.contains("not {severity=\"critical\"}"),
        "{other}"
    );
    assert!(
        gather(&[], "High", &Labels::new(), None)
            .unwrap_err()
            .to_string()
            .ends_with("Prometheus has no alerting rules")
    );
    // A recording rule of that name is not an alert.
    assert!(gather(&groups(), "share:rate5m", &Labels::new(), None).is_err());
}

#[test]
fn checks_drill_files_against_the_rules() {
    let text = "drill: a\nproves: {alert: Bare}\nbaseline: {rate: 1/s, requests: [{get: /}]}\ncause:\n  \
                load: {rate: 1/s, requests: [{get: /}]}\n  share: 8%\nexpect:\n  silent: [Gone]\n  also: [High]\n";
    let drill = crate::file::drill::parse(std::path::Path::new("a.yaml"), text).unwrap();
    let errors = check(std::path::Path::new("a.yaml"), &drill, &groups());
    let message: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(message.len(), 2, "{message:?}");
    assert!(
        message[0].starts_with("a.yaml:6:") && message[0].contains("`share` has no effect"),
        "{message:?}"
    );
    assert!(message[1].starts_with("a.yaml:8:") && message[1].contains("`Gone`"), "{message:?}");
}

#[test]
fn near_needs_a_rule_with_one_threshold() {
    let text = "drill: a\nproves: {quiet: 10m}\nexpect: {near: [High, Bare, Gone]}\n";
    let drill = crate::file::drill::parse(std::path::Path::new("a.yaml"), text).unwrap();
    let message: Vec<_> =
        check(std::path::Path::new("a.yaml"), &drill, &groups()).iter().map(ToString::to_string).collect();
    assert_eq!(message.len(), 2, "{message:?}");
    assert!(
        message[0].starts_with("a.yaml:3:")
            && message[0].contains("`Bare` does not compare its value with a single number"),
        "{message:?}"
    );
    assert!(message[1].contains("no loaded rule defines the alert `Gone`"), "{message:?}");
}

#[test]
fn rejects_ambient_alerts_that_are_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let (drill, suite) = (folder.path().join("a.yaml"), folder.path().join("suite.yaml"));
    std::fs::write(&drill, "drill: a\nproves: {quiet: 1m}\n").unwrap();
    let known = &groups()[0].rules.iter().find(|rule| rule.alerting.is_some()).unwrap().name.clone();
    let text = format!(
        "suite: s\nambient:\n  - {{alert: {known}, reason: r}}\n  - {{alert: Wachdog, reason: r}}\n---\n"
    );
    std::fs::write(&suite, text).unwrap();
    let loaded = crate::file::suite::load(&[drill]).unwrap();
    let errors: Vec<_> = check_ambient(&loaded, &groups()).iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("suite.yaml:4:13: no loaded rule defines the alert `Wachdog`"), "{errors:?}");
}

#[test]
fn names_the_rule_that_fails() {
    let failing = |index: usize| {
        let mut groups = groups();
        let rule = &mut groups[0].rules[index];
        (rule.health, rule.last_error) = ("err".into(), "exceeded limit of 1 with 2 series".into());
        gather(&groups, "High", &Labels::new(), None).unwrap().failure(&groups)
    };
    assert_eq!(failing(1).unwrap(), "the rule `High` fails: exceeded limit of 1 with 2 series");
    assert_eq!(
        failing(0).unwrap(),
        "the rule `share:rate5m`, which `High` reads, fails: exceeded limit of 1 with 2 series"
    );
    assert_eq!(failing(2), None, "it does not read that one");
}
