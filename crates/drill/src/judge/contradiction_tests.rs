use std::time::Duration;

use jiff::Timestamp;

use crate::evidence::activation::Activation;
use crate::judge::contradiction::contradiction;
use crate::judge::diagnosis;
use crate::judge::fixture::{EXPECTED, Given, about, at, both, bounds, judged};
use crate::record::case::Case;
use crate::record::event::{Restart, Unexpected};
use crate::record::expectation::Expectation;
use crate::record::judgement::Verdict;
use crate::record::stage::{End, Stage};
use crate::rule::RuleUnderTest;
use crate::timing::phases::{Instants, measure};

#[test]
fn an_end_before_its_beginning_is_inconclusive_and_names_both_systems() {
    type Change = fn(&mut Instants);
    let cases: [(Change, usize, &str); 4] = [
        (
            |instants| instants.pending = Some(at(-2.0)),
            0,
            "pending at 07:59:58.000 (Prometheus clock), 2.0 s before the cause began at 08:00:00.000 (local clock): \
             something else triggered the alert, or the clocks differ",
        ),
        (
            |instants| instants.resolved = Some(at(19.0)),
            3,
            "resolved at 08:00:19.000 (Prometheus clock), 1.0 s before the cause was lifted at 08:00:20.000 (local clock): \
             the condition ended too early, or the clocks differ",
        ),
        (
            |instants| instants.notified = both(14.0, 14.0),
            2,
            "notified at 08:00:14.000 (receiver clock), 1.0 s before it fired at 08:00:15.000 (Prometheus clock): \
             the clocks differ",
        ),
        (
            |instants| instants.all_clear = both(29.0, 29.5),
            4,
            "all-clear at 08:00:29.500 (receiver clock), 0.5 s before it resolved at 08:00:30.000 (Prometheus clock): \
             the clocks differ",
        ),
    ];
    for (change, phase, message) in cases {
        let mut odd = about(End::Complete);
        change(&mut odd.instants);
        assert_eq!(judged(&odd), (Verdict::Inconclusive, message.to_owned()));
        assert_eq!(
            measure(&odd.instants, Some(&bounds()), &EXPECTED, std::time::Duration::ZERO).named()[phase]
                .1
                .seconds,
            None
        );
    }
}

#[test]
fn a_heartbeat_that_contradicts_the_drill_names_both_clocks() {
    use clients::inbox::Channel;
    let case = |notified: f64, all_clear: f64| Case {
        expectation: Expectation { channels: vec![Channel::Heartbeat], ..Expectation::default() },
        instants: Instants {
            cause: Some(at(0.0)),
            notified: [(Channel::Heartbeat, at(notified))].into(),
            lifted: Some(at(20.0)),
            all_clear: [(Channel::Heartbeat, at(all_clear))].into(),
            ..Instants::default()
        },
        ..Case::default()
    };
    assert_eq!(contradiction(&case(9.0, 25.0)), None);
    assert_eq!(
        contradiction(&case(-2.0, 25.0)).unwrap(),
        "notified at 07:59:58.000 (receiver clock), 2.0 s before the cause began at 08:00:00.000 (local clock): the heartbeat was \
         missing before, or the clocks differ"
    );
    assert_eq!(
        contradiction(&case(9.0, 19.0)).unwrap(),
        "all-clear at 08:00:19.000 (receiver clock), 1.0 s before the cause was lifted at 08:00:20.000 (local clock): \
         something else restored the heartbeat, or the clocks differ"
    );
}

#[test]
fn may_resolve_while_the_commands_that_lift_the_cause_still_run() {
    let mut slow = about(End::Complete);
    slow.instants.resolved = Some(at(19.0));
    slow.instants.lifting = Some(at(18.5));
    assert_eq!(judged(&slow).0, Verdict::Proven);
    assert_eq!(
        measure(&slow.instants, Some(&bounds()), &EXPECTED, std::time::Duration::ZERO).resolved.seconds,
        Some(0.0)
    );
    slow.instants.lifting = Some(at(19.5));
    assert_eq!(judged(&slow).0, Verdict::Inconclusive, "it resolved before they began");
}

/// Alerts with one evaluation each, every 5 s from the first second after the cause, that differ in their value.
fn values(count: usize) -> Vec<Activation> {
    let one = |index: usize| {
        let began = at(1.0 + 5.0 * index as f64);
        let labels = [("alertname", "A"), ("now", ["1", "2", "3", "4"][index])];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Activation { labels, began, fired: Some(began), last: began }
    };
    (0..count).map(one).collect()
}

#[test]
fn a_changing_label_is_the_reason_and_never_proven() {
    let mut rule_under_test = diagnosis::tests::rule_under_test(">", 0.05);
    rule_under_test.evaluation = Duration::from_secs(5);
    rule_under_test.with_value = ["now".to_owned()].into();
    let message = "the label `now` changes from one evaluation to the next (\"1\", \"2\"";
    for (end, count, verdict) in [
        (End::Missed(Stage::Firing), 4, Verdict::Missed),
        (End::Missed(Stage::Notified), 2, Verdict::Missed),
        (End::Complete, 2, Verdict::Inconclusive),
        (End::Complete, 4, Verdict::Inconclusive),
    ] {
        let likeliest = Some("no notification reached `webhook`");
        let rule_under_test = Some(rule_under_test.clone());
        let given = Given { rule_under_test, activations: values(count), likeliest, ..about(end.clone()) };
        let (found, reason) = judged(&given);
        assert_eq!(found, verdict, "{end:?}");
        assert!(reason.starts_with(message) && !reason.contains("no notification"), "{reason}");
    }
    let before = |since: Timestamp| {
        let mut given = Given {
            rule_under_test: Some(rule_under_test.clone()),
            activations: values(4),
            ..about(End::Complete)
        };
        given.instants.cause = Some(since);
        given.instants.pending = Some(since);
        judged(&given).0
    };
    assert_eq!(before(at(14.0)), Verdict::Proven, "activations before the cause do not count");
}

#[test]
fn a_restart_makes_a_miss_inconclusive_and_one_of_the_inbox_a_proof() {
    let restart = |system, forgets| Restart { system, at: at(16.0), forgets, gone: false };
    let late = |given: &mut Given| given.instants.pending = Some(at(11.5));
    let never = |_: &mut Given| ();
    type Change = fn(&mut Given);
    let cases: [(End, Change, Restart, Verdict); 6] = [
        (End::Complete, never, restart("Prometheus", false), Verdict::Proven),
        (End::Complete, never, restart("the inbox", true), Verdict::Inconclusive),
        (End::Complete, late, restart("Alertmanager", false), Verdict::Inconclusive),
        (End::Missed(Stage::Notified), never, restart("Alertmanager", false), Verdict::Inconclusive),
        (End::Missed(Stage::Pending), never, restart("the inbox", true), Verdict::Inconclusive),
        (End::Refused("gone".into()), never, restart("the inbox", true), Verdict::Refused),
    ];
    for (end, change, restart, verdict) in cases {
        let system = restart.system;
        let mut given = Given { restarts: vec![restart], ..about(end.clone()) };
        change(&mut given);
        let (found, reason) = judged(&given);
        assert_eq!(found, verdict, "{end:?} {system}: {reason}");
        let message = format!("{system} was restarted at 08:00:16, so part of the evidence may be missing: ");
        assert_eq!(reason.starts_with(&message), verdict == Verdict::Inconclusive, "{reason}");
    }
}

#[test]
fn one_of_several_that_ended_makes_a_miss_and_a_duplicate_inconclusive() {
    let gone = |gone| Restart { system: "Alertmanager", at: at(16.0), forgets: false, gone };
    let twice = Unexpected {
        at: at(18.0),
        alert: "High".into(),
        how: "arrived at webhook again after 1.0 s, a duplicate".into(),
        named_silent: false,
    };
    for (end, unexpected, is_gone, verdict) in [
        (End::Missed(Stage::Notified), Vec::new(), true, Verdict::Inconclusive),
        (End::Complete, vec![twice.clone()], true, Verdict::Inconclusive),
        (End::Complete, vec![twice], false, Verdict::Unexpected),
        (End::Complete, Vec::new(), true, Verdict::Proven),
    ] {
        let given = Given { restarts: vec![gone(is_gone)], unexpected, ..about(end.clone()) };
        let (found, reason) = judged(&given);
        assert_eq!(found, verdict, "{end:?} {is_gone}: {reason}");
        let named = "one of several servers (Alertmanager) stopped responding at 08:00:16";
        assert_eq!(reason.contains(named), verdict == Verdict::Inconclusive, "{reason}");
    }
}

#[test]
fn an_alert_that_fired_by_the_rules_only_is_not_missed() {
    for (stage, fired, verdict) in [
        (Stage::Pending, Some(at(12.0)), Verdict::Inconclusive),
        (Stage::Firing, Some(at(12.0)), Verdict::Inconclusive),
        (Stage::Notified, Some(at(12.0)), Verdict::Missed),
        (Stage::Firing, None, Verdict::Missed),
    ] {
        let (found, reason) = judged(&Given { fired_unstored: fired, ..about(End::Missed(stage)) });
        assert_eq!(found, verdict, "{stage:?}: {reason}");
        assert_eq!(
            reason.contains("its samples in `ALERTS` do not"),
            verdict == Verdict::Inconclusive,
            "{reason}"
        );
    }
}

#[test]
fn timestamps_of_samples_may_be_early_by_as_much_as_the_server_says() {
    let rule_under_test = |early| RuleUnderTest {
        stamped_early: std::time::Duration::from_secs_f64(early),
        ..diagnosis::tests::rule_under_test(">", 1.0)
    };
    for (early, pending, verdict) in
        [(0.0, -0.5, Verdict::Inconclusive), (1.0, -0.5, Verdict::Proven), (1.0, -1.5, Verdict::Inconclusive)]
    {
        let mut given = Given { rule_under_test: Some(rule_under_test(early)), ..about(End::Complete) };
        given.instants.pending = Some(at(pending));
        given.instants.firing = Some(at(5.0));
        given.instants.notified = both(8.0, 9.0);
        let (found, reason) = judged(&given);
        assert_eq!(found, verdict, "{early} {pending}: {reason}");
    }
}
