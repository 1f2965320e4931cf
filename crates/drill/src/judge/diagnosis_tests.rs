use std::time::Duration;

use super::*;
use crate::evidence::held::Receiver;
use clients::prometheus::Labels;
use promql::Threshold;

fn at(seconds: i64) -> Timestamp {
    // Seconds after 12:00:00 UTC.
    Timestamp::from_second(1_800_014_400 + seconds).unwrap()
}

pub fn rule_under_test(operator: &str, value: f64) -> RuleUnderTest {
    RuleUnderTest {
        stored_after: Duration::ZERO,
        stamped_early: Duration::ZERO,
        stated: None,
        alert: "A".into(),
        wanted: Labels::new(),
        known: Labels::new(),
        with_value: std::collections::BTreeSet::new(),
        group: "g".into(),
        file: "g.yml".into(),
        query: "x > 1".into(),
        evaluation: Duration::from_secs(15),
        hold: Duration::from_secs(120),
        keep_firing: Duration::ZERO,
        query_offset: Duration::ZERO,
        offset_unknown: std::collections::BTreeSet::new(),
        reads: std::collections::BTreeSet::new(),
        sources: crate::rule::graph::Sources::default(),
        threshold: (!operator.is_empty()).then(|| Threshold {
            left: "x".into(),
            operator: operator.into(),
            value,
        }),
    }
}

fn value(rule_under_test: &RuleUnderTest, values: &[f64]) -> Value {
    Value {
        expr: "x".into(),
        operator: rule_under_test.threshold.as_ref().map(|threshold| threshold.operator.clone()),
        threshold: rule_under_test.threshold.as_ref().map(|threshold| threshold.value),
        points: values.iter().enumerate().map(|(index, value)| (at(index as i64), *value)).collect(),
    }
}

fn signs<'a>(missed: Stage, rule_under_test: &'a RuleUnderTest, value: &'a Value) -> Signs<'a> {
    Signs {
        missed,
        rule_under_test,
        value,
        unknown_metrics: &[],
        unmatched: &[],
        rule_error: "",
        failure: None,
        short_range: None,
        unlike: &[],
        activations: &[],
        firing: Some(at(64)),
        lifted: Some(at(100)),
        resolved: Some(at(130)),
        held: None,
        missing: vec![Channel::Slack],
        labels: None,
        namesakes: Vec::new(),
    }
}

#[test]
fn explains_a_missed_pending() {
    let unknown = ["http_reqests_total".to_owned()];
    let unmatched = ["`up{job=\"apo\"}`".to_owned()];
    for (operator, values, unknown, unmatched, error, message) in [
        (
            ">",
            &[0.01, 0.031, 0.02][..],
            &[][..],
            &[][..],
            "",
            "the rule's value reached 0.031 of the 0.05 it needs: the cause is too weak",
        ),
        (
            "<",
            &[9.0, 7.0],
            &[],
            &[],
            "",
            "the rule's value only fell to 7, but it must be < 0.05: the cause is too weak",
        ),
        (
            ">",
            &[0.01, 0.0812],
            &[],
            &[],
            "",
            "the rule's value reached 0.0812, which meets > 0.05, but the rule stayed inactive: another condition of its expression was not met",
        ),
        (
            ">",
            &[],
            &unknown,
            &[],
            "",
            "the expression returned no series: Prometheus has no series of `http_reqests_total`: check the spelling of metrics and labels",
        ),
        (
            ">",
            &[],
            &[],
            &unmatched,
            "",
            "the expression returned no series: no series matches `up{job=\"apo\"}`",
        ),
        (
            ">",
            &[],
            &[],
            &[],
            "",
            "the expression returned no series: its metrics have series; check that the labels on both sides of each operator match",
        ),
        (
            ">",
            &[0.0],
            &unknown,
            &[],
            "",
            "the rule's value reached 0 of the 0.05 it needs: the cause is too weak; Prometheus has no series of `http_reqests_total`: check the spelling of metrics and labels",
        ),
        (">", &[], &[], &[], "many-to-many", "the rule cannot be evaluated: many-to-many"),
        ("", &[1.0], &[], &[], "", "the expression's value reached 1, but the rule stayed inactive"),
    ] {
        let rule_under_test = rule_under_test(operator, 0.05);
        let value = value(&rule_under_test, values);
        let signs = Signs {
            unknown_metrics: unknown,
            unmatched,
            rule_error: error,
            ..signs(Stage::Pending, &rule_under_test, &value)
        };
        assert_eq!(likeliest(&signs), message);
    }
}

#[test]
fn explains_a_missed_firing() {
    let rule_under_test = rule_under_test(">", 0.05);
    let value = value(&rule_under_test, &[0.06]);
    let activation =
        |began, last| [Activation { labels: Labels::new(), began: at(began), fired: None, last: at(last) }];
    for (activations, message) in [
        (activation(64, 94), "pending since 12:01:04, but the cause was lifted before `for: 2m` had passed"),
        (
            activation(4, 49),
            "pending from 12:00:04 to 12:00:49, 45.0 s of the required `for: 2m`: the condition ended too early",
        ),
    ] {
        let signs = Signs { activations: &activations, ..signs(Stage::Firing, &rule_under_test, &value) };
        assert_eq!(likeliest(&signs), message);
    }
}

#[test]
fn does_not_call_a_cause_too_weak_for_an_exact_value() {
    let stage = Stage::Pending;
    for (operator, threshold, values, message) in [
        (
            "==",
            0.0,
            &[1.0, 1.0][..],
            "the rule's value stayed at 1, but it must be == 0: the cause did not affect",
        ),
        ("==", 0.0, &[1.0, 3.0], "the rule's value was between 1 and 3, but it must be == 0: "),
        ("!=", 1.0, &[1.0], "the rule's value stayed at 1, but it must be != 1: "),
        (">", 0.0, &[0.0, 0.0], "the rule's value reached 0, but it must be > 0: the cause did not affect"),
    ] {
        let rule_under_test = rule_under_test(operator, threshold);
        let value = value(&rule_under_test, values);
        let found = likeliest(&signs(stage, &rule_under_test, &value));
        assert!(found.starts_with(message) && !found.contains("too weak"), "{found}");
    }
}

#[test]
fn explains_an_alert_with_other_labels() {
    let labels = |pairs: &[(&str, &str)]| -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let unlike = [labels(&[("alertname", "A"), ("severity", "warning")])];
    for (wanted, message) in [
        (
            [("severty", "warning")],
            "not {severty=\"warning\"}: check the spelling of `severty` in `proves.labels`",
        ),
        ([("severity", "page")], "not {severity=\"page\"}: check the value of `severity` in `proves.labels`"),
    ] {
        for stage in [Stage::Pending, Stage::Firing] {
            let rule_under_test = RuleUnderTest { wanted: labels(&wanted), ..rule_under_test("==", 0.0) };
            let value = value(&rule_under_test, &[0.0]);
            let found = likeliest(&Signs { unlike: &unlike, ..signs(stage, &rule_under_test, &value) });
            let start = "the rule was active, but for an alert with the labels {alertname=\"A\", severity=\"warning\"}, ";
            assert_eq!(found, format!("{start}{message}"));
        }
    }
}

#[test]
fn explains_notifications_of_another_alert_of_the_name() {
    let rule_under_test = rule_under_test(">", 0.05);
    let value = value(&rule_under_test, &[0.06]);
    let labels = |job: &str| Labels::from([("alertname".into(), "A".into()), ("job".into(), job.into())]);
    let (own, other) = (labels("api"), labels("redis"));
    let signs = Signs {
        labels: Some(&own),
        namesakes: vec![(Channel::Slack, at(66), &other)],
        ..signs(Stage::Notified, &rule_under_test, &value)
    };
    let message = likeliest(&signs);
    assert!(!message.contains("no notification"), "{message}");
    let expected = "firing since 12:01:04, but the notification on `slack` at 12:01:06 is about another alert of the same name, \
                    {alertname=\"A\", job=\"redis\"}, not {alertname=\"A\", job=\"api\"}: ";
    assert!(message.starts_with(expected), "{message}");
    let missing = vec![Channel::Webhook];
    assert!(likeliest(&Signs { missing, ..signs.clone() }).contains("no notification reached `webhook`"));
    let silent = likeliest(&Signs { missing: Vec::new(), ..signs });
    assert!(silent.starts_with("firing since 12:01:04, but the alert was not notified: "), "{silent}");
}

#[test]
fn explains_a_missed_notification() {
    let rule_under_test = rule_under_test(">", 0.05);
    let value = value(&rule_under_test, &[0.06]);
    let receiver = |name: &str, kinds: &[&str]| Receiver {
        name: name.into(),
        kinds: Some(kinds.iter().map(|kind| (*kind).to_owned()).collect()),
    };
    let held = |receivers: Vec<Receiver>| Held { state: "active".into(), receivers, ..Held::default() };
    let start = "firing since 12:01:04, but no notification reached `slack`: ";
    for (held, message) in [
        (
            None,
            "Alertmanager does not have the alert; check that Prometheus sends to this Alertmanager and that relabelling does not drop the alert",
        ),
        (
            Some(held(vec![receiver("null", &[])])),
            "the alert is routed to receiver `null`, which has no slack_configs",
        ),
        (
            Some(held(vec![receiver("a", &["webhook"]), receiver("b", &[])])),
            "the alert is routed to receiver `a` and `b`, which has no slack_configs",
        ),
        (
            Some(held(vec![receiver("a", &["slack"])])),
            "the alert is routed to receiver `a`, which has slack_configs; check that its URL points to this inbox, and look for failures in Alertmanager's log",
        ),
        (
            Some(Held { silenced_by: vec!["1f (lunch)".into()], ..held(vec![receiver("a", &["slack"])]) }),
            "silenced by `1f (lunch)`",
        ),
        (
            Some(Held { inhibited_by: vec!["APIDown".into()], ..held(vec![receiver("a", &["slack"])]) }),
            "inhibited by `APIDown`",
        ),
        (
            Some(Held { muted_by: vec!["the route to receiver `a` is muted by x".into()], ..held(vec![]) }),
            "the route to receiver `a` is muted by x",
        ),
    ] {
        let signs = Signs { held: held.as_ref(), ..signs(Stage::Notified, &rule_under_test, &value) };
        assert_eq!(likeliest(&signs), format!("{start}{message}"));
    }
}

#[test]
fn explains_a_missed_recovery() {
    let rule_under_test = rule_under_test(">", 0.05);
    let value = value(&rule_under_test, &[0.06, 0.0701]);
    assert_eq!(
        likeliest(&signs(Stage::Resolved, &rule_under_test, &value)),
        "still firing although the cause was lifted at 12:01:40: the rule's value is 0.0701, threshold > 0.05"
    );
    let text = likeliest(&signs(Stage::AllClear, &rule_under_test, &value));
    assert!(
        text.starts_with("resolved at 12:02:10, but `slack` received no all-clear: ")
            && text.contains("send_resolved"),
        "{text}"
    );
}

#[test]
fn a_rule_that_failed_meanwhile_and_a_short_range_are_the_reason() {
    let rule_under_test = rule_under_test(">", 0.05);
    let value = value(&rule_under_test, &[0.01]);
    for stage in [Stage::Pending, Stage::Firing] {
        let failure = "the rule `A` fails: exceeded limit of 1 with 2 alerts";
        let failed = Signs { failure: Some(failure), ..signs(stage, &rule_under_test, &value) };
        assert_eq!(likeliest(&failed), failure);
        let short =
            Signs { short_range: Some("`rate(x[9s])` is short"), ..signs(stage, &rule_under_test, &value) };
        assert_eq!(
            likeliest(&short),
            "the rule's value reached 0.01 of the 0.05 it needs: the cause is too weak; in addition, `rate(x[9s])` is short"
        );
    }
    let later =
        Signs { failure: Some("the rule `A` fails"), ..signs(Stage::Resolved, &rule_under_test, &value) };
    assert!(likeliest(&later).starts_with("still firing"), "{}", likeliest(&later));
}
