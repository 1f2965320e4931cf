use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::causes::stack::Broken;
use crate::file::objective::Objective;
use crate::judge::fixture::{EXPECTED, Given, about, at, both, bounds, judged, proven};
use crate::timing::phases::{Instants, Measured, measure};
use clients::inbox::Channel;

fn unexpected(alert: &str, named_silent: bool) -> Unexpected {
    Unexpected { at: at(12.0), alert: alert.into(), how: "fired".into(), named_silent }
}

#[test]
fn a_proof_notes_counted_delivery() {
    let counted = Given { counted: true, ..about(End::Complete) };
    let (verdict, reason) = judged(&counted);
    assert_eq!(verdict, Verdict::Proven);
    assert_eq!(
        reason,
        "every phase was within its bound; delivery was checked by Alertmanager's counters only"
    );
}

#[test]
fn measures_phases_between_consecutive_timestamps() {
    let phases = measure(&proven(), Some(&bounds()), &EXPECTED, std::time::Duration::ZERO);
    assert_eq!(phases.named().map(|(_, phase)| phase.seconds.unwrap()), [9.0, 6.0, 4.0, 10.0, 5.0]);
    assert_eq!(phases.named().map(|(_, phase)| phase.bound_seconds.unwrap()), [11.0, 6.0, 5.0, 17.0, 17.0]);
    let only = Instants { notified: BTreeMap::from([(Channel::Webhook, at(17.0))]), ..proven() };
    assert_eq!(
        measure(&only, None, &EXPECTED, std::time::Duration::ZERO).notified,
        Measured { seconds: None, bound_seconds: None }
    );
    assert_eq!(measure(&only, None, &EXPECTED[..1], std::time::Duration::ZERO).notified.seconds, Some(2.0));
}

#[test]
fn proves_a_complete_drill_within_bounds() {
    assert_eq!(judged(&about(End::Complete)), (Verdict::Proven, "every phase was within its bound".into()));
    // `firing` sits exactly on its bound; a millisecond of rounding does not make it late.
    let mut rounded = about(End::Complete);
    rounded.instants.firing = Some(at(15.001));
    assert_eq!(judged(&rounded).0, Verdict::Proven);
    let mut hole = about(End::Complete);
    hole.instants.resolved = None;
    assert_eq!(judged(&hole).0, Verdict::Inconclusive);
}

#[test]
fn a_cause_that_was_not_undone_is_never_proven_and_always_reported() {
    for (end, verdict) in [
        (End::Complete, Verdict::Inconclusive),
        (End::Missed(Stage::Resolved), Verdict::Inconclusive),
        (End::Missed(Stage::AllClear), Verdict::Inconclusive),
        (End::Missed(Stage::Firing), Verdict::Missed),
        (End::Refused("gone".into()), Verdict::Refused),
    ] {
        for quiet in [None, Some(Duration::from_secs(3))] {
            let left = vec!["cannot start redis: gone; to do this by hand: start redis".to_owned()];
            let judged = judged(&Given { not_undone: left, quiet, ..about(end.clone()) });
            assert_eq!(judged.0, verdict, "{end:?} {}", judged.1);
            assert!(judged.1.contains("the cause was not undone: cannot start redis"), "{}", judged.1);
        }
    }
}

#[test]
fn traffic_that_differs_is_inconclusive() {
    let statuses = BTreeMap::from([(404, 24), (200, 276)]);
    let odd = Applied { responses: 300, unexpected: 24, statuses, rarest: 0.08, ..Applied::default() };
    let quiet = Some(Duration::from_secs(3));
    let message = "24 of 300 responses had an unexpected status (by status: 200: 276, 404: 24)";
    for (end, quiet, acts, verdict, starts) in [
        (End::Complete, quiet, false, Verdict::Inconclusive, "the cause was not applied as stated: "),
        (
            End::Missed(Stage::Pending),
            None,
            false,
            Verdict::Inconclusive,
            "the cause was not applied as stated: ",
        ),
        (End::Missed(Stage::Pending), None, true, Verdict::Missed, "too weak; "),
    ] {
        let given =
            Given { applied: Some(odd.clone()), quiet, acts, likeliest: Some("too weak"), ..about(end) };
        assert_eq!(judged(&given), (verdict, format!("{starts}{message}")));
    }
    // In a control, most responses must be expected whatever the cause does; in a drill of an alert, they may cause it.
    let most = Some(Applied { unexpected: 160, ..odd });
    let control = Given { applied: most.clone(), quiet, acts: true, ..about(End::Complete) };
    assert_eq!(judged(&control).0, Verdict::Inconclusive);
    assert_eq!(judged(&Given { applied: most, acts: true, ..about(End::Complete) }).0, Verdict::Proven);
}

#[test]
fn a_held_command_that_ended_is_inconclusive() {
    for (failed, quiet, end, verdict) in [
        (true, true, End::Complete, Verdict::Inconclusive),
        (false, true, End::Complete, Verdict::Inconclusive),
        (false, false, End::Missed(Stage::Firing), Verdict::Inconclusive),
        (true, false, End::Complete, Verdict::Inconclusive),
        (false, false, End::Complete, Verdict::Proven),
    ] {
        let broke_off = vec![Broken { message: "`sh` ended".into(), failed }];
        let quiet = quiet.then(|| Duration::from_secs(3));
        let (found, reason) = judged(&Given { broke_off, quiet, acts: true, ..about(end.clone()) });
        assert_eq!(found, verdict, "{end:?} {failed} {reason}");
        assert_eq!(reason.contains("`sh` ended"), verdict == Verdict::Inconclusive, "{reason}");
    }
}

#[test]
fn late_by_bound_and_by_objective() {
    let mut late = about(End::Complete);
    late.instants.pending = Some(at(11.5));
    late.instants.firing = Some(at(17.5));
    late.instants.notified = both(18.0, 19.0);
    assert_eq!(judged(&late), (Verdict::Late, "pending took 11.5 s, more than its bound of 11.0 s".into()));
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    for (objective, expected) in [
        (Objective { notified: seconds(19), all_clear: seconds(35) }, None),
        (
            Objective { notified: seconds(18), all_clear: seconds(35) },
            Some("notified 19.0 s after the cause began, later than the objective of 18.0 s"),
        ),
        (
            Objective { notified: None, all_clear: seconds(34) },
            Some("all-clear 35.0 s after the cause began, later than the objective of 34.0 s"),
        ),
    ] {
        let (verdict, reason) = judged(&Given { objective, ..about(End::Complete) });
        match expected {
            None => assert_eq!(verdict, Verdict::Proven),
            Some(expected) => assert_eq!((verdict, reason.as_str()), (Verdict::Late, expected)),
        }
    }
}

#[test]
fn names_unexpected_alerts_once() {
    let mut given = about(End::Complete);
    let arrived = Unexpected { how: "arrived at slack".into(), ..unexpected("RedisDown", false) };
    let silent = unexpected("CriticalErrorRate", true);
    given.unexpected = vec![silent, unexpected("RedisDown", false), arrived.clone(), arrived];
    let (verdict, reason) = judged(&given);
    assert_eq!(verdict, Verdict::Unexpected);
    assert_eq!(
        reason,
        "CriticalErrorRate fired, although it is expected to stay silent, RedisDown fired and arrived at slack; nothing in the drill explains it"
    );
}

#[test]
fn a_miss_names_the_likeliest_cause() {
    let mut missed = about(End::Missed(Stage::Pending));
    missed.likeliest = Some("the rule's value reached 0.031 of the 0.05 it needs");
    assert_eq!(
        judged(&missed),
        (Verdict::Missed, "the rule's value reached 0.031 of the 0.05 it needs".into())
    );
    missed.unexpected = vec![unexpected("RedisDown", false)];
    assert!(judged(&missed).1.ends_with("; in addition, RedisDown fired"));
    missed.likeliest = None;
    assert!(judged(&missed).1.starts_with("the phase `pending` was not reached"));
}

#[test]
fn gaps_and_too_little_traffic_are_inconclusive() {
    let mut blind = about(End::Missed(Stage::Notified));
    blind.gaps.note::<(), _>("inbox", Err("inbox at x: refused"));
    let (verdict, reason) = judged(&blind);
    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(
        reason.starts_with("`notified` was not observed, but 1 of 101") && reason.ends_with("refused"),
        "{reason}"
    );

    blind.gaps.note::<_, &str>("inbox", Ok(()));
    assert_eq!(judged(&blind).0, Verdict::Missed, "a gap that closed does not count");
    blind.gaps.failed = 40;
    assert_eq!(judged(&blind).0, Verdict::Inconclusive, "too many gaps");

    let weak =
        Some(Applied { stated_rate: 40.0, achieved_rate: 12.0, transport_errors: 7, ..Applied::default() });
    let (verdict, reason) = judged(&Given { applied: weak.clone(), ..about(End::Missed(Stage::Pending)) });
    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(reason.contains("12.0 of 40.0 responses per second, 7 transport errors"), "{reason}");
    let missed_later = Given { applied: weak, ..about(End::Missed(Stage::AllClear)) };
    assert_eq!(judged(&missed_later).0, Verdict::Missed, "the traffic was enough to make the alert fire");
}

#[test]
fn refused_not_observed_and_interrupted_keep_their_reason() {
    for (end, verdict, reason) in [
        (End::Refused("Alertmanager at x: refused".into()), Verdict::Refused, "Alertmanager at x: refused"),
        (End::NotObserved("no response".into()), Verdict::Inconclusive, "no response"),
        (End::Interrupted("SIGINT"), Verdict::Inconclusive, "interrupted by SIGINT in phase firing"),
    ] {
        assert_eq!(judged(&about(end)), (verdict, reason.to_owned()));
    }
}

#[test]
fn proves_a_negative_control_only_if_traffic_was_sent() {
    let quiet = |given: Given| judged(&Given { quiet: Some(Duration::from_secs(30)), ..given });
    assert_eq!(quiet(about(End::Complete)), (Verdict::Proven, "nothing fired in 30.0 s".into()));
    let loud = Given { unexpected: vec![unexpected("HighErrorRate", true)], ..about(End::Complete) };
    assert_eq!(quiet(loud).0, Verdict::Unexpected);
    let weak = Applied { stated_rate: 40.0, achieved_rate: 9.0, ..Applied::default() };
    assert_eq!(quiet(Given { applied: Some(weak), ..about(End::Complete) }).0, Verdict::Inconclusive);
}

#[test]
fn an_alert_that_was_not_inhibited_is_missed() {
    let (verdict, reason) =
        judged(&about(End::NotInhibited("HighLatency fired and was not inhibited".into())));
    assert_eq!((verdict, reason.as_str()), (Verdict::Missed, "HighLatency fired and was not inhibited"));
}

/// A Prometheus that has `query_offset` and does not report it.
fn offset_unknown() -> crate::rule::RuleUnderTest {
    let mut rule_under_test = crate::judge::diagnosis::tests::rule_under_test(">", 0.05);
    rule_under_test.evaluation = Duration::from_secs(2);
    rule_under_test.offset_unknown = ["g".to_owned()].into();
    rule_under_test
}

#[test]
fn what_a_query_offset_may_explain_is_inconclusive() {
    let mut late = Given { rule_under_test: Some(offset_unknown()), ..about(End::Complete) };
    late.instants.pending = Some(at(11.5));
    let (verdict, reason) = judged(&late);
    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(
        reason.starts_with(
            "pending took 11.5 s, more than its bound of 11.0 s, but the rule group `g` may have"
        ),
        "{reason}"
    );
    late.objective.notified = Some(Duration::from_secs(1));
    assert_eq!(judged(&late).0, Verdict::Late, "the receiver's clock shows a broken promise");
    late.objective = Objective::default();
    late.rule_under_test.as_mut().unwrap().offset_unknown.clear();
    assert_eq!(judged(&late).0, Verdict::Late);
}

#[test]
fn an_expression_that_held_unseen_is_inconclusive() {
    let case = |holds: f64, failure: Option<&str>, unlike: usize| {
        let evidence = crate::evidence::value::Evidence {
            holds: vec![at(-3.0), at(holds)],
            unlike: vec![clients::prometheus::Labels::new(); unlike],
            ..Default::default()
        };
        let expectation = crate::record::expectation::Expectation {
            rule_under_test: Some(offset_unknown()),
            ..Default::default()
        };
        Case {
            instants: Instants { pending: None, firing: None, ..proven() },
            failure: failure.map(str::to_owned),
            gaps: crate::evidence::gaps::Gaps { queries: 100, ..Default::default() },
            evidence: Some(evidence),
            expectation,
            end: Some(End::Missed(Stage::Pending)),
            ..Case::default()
        }
    };
    let seen_late = judge(&case(9.0, None, 0));
    assert_eq!(seen_late.verdict, Verdict::Inconclusive);
    assert_eq!(
        seen_late.reason,
        "the expression had a result at 08:00:09, but the rule was inactive until 08:00:20: its group `g` may have a \
         `query_offset`, which Prometheus does not report"
    );
    for (name, case) in [
        ("no evaluation since", case(17.0, None, 0)),
        ("the rule failed", case(9.0, Some("the rule `A` fails: limit"), 0)),
        ("it was active for other labels", case(9.0, None, 1)),
    ] {
        assert_eq!(judge(&case).verdict, Verdict::Missed, "{name}");
    }
}
