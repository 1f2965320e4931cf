//! Derives the verdict and its reason from the observations, without I/O.

use crate::causes::applied::Applied;
use crate::evidence::activation::Activation;
use crate::evidence::changing::{self, Changing};
use crate::evidence::count::COUNTED_ONLY;
use crate::evidence::near;
use crate::judge::contradiction::contradiction;
use crate::judge::diagnosis::{self, Signs};
use crate::record::case::Case;
use crate::record::event::{Restart, Unexpected};
use crate::record::judgement::{Judgement, Verdict};
use crate::record::stage::{End, Stage};
use crate::timing::clock::{self, readable, time_of_day};
use crate::timing::phases::{Phases, STAMP_SECONDS, last_of};

/// Gives the verdict. If several things went wrong, the one that makes the others doubtful comes first: what was not
/// observed, then what did not happen, then what was unexpected, then what was late.
#[must_use]
pub fn judge(case: &Case) -> Judgement {
    let likeliest = match &case.end {
        Some(End::Missed(missed)) => Signs::of(case, *missed).map(|signs| diagnosis::likeliest(&signs)),
        _ => None,
    };
    given(case, likeliest.as_deref())
}

/// Gives the verdict, with the likeliest cause of a miss given.
pub(super) fn given(case: &Case, likeliest: Option<&str>) -> Judgement {
    let phases = case.phases();
    let not_observed = End::NotObserved("the run did not end".to_owned());
    let end = case.end.as_ref().unwrap_or(&not_observed);
    let (verdict, reason) = match end {
        End::Refused(reason) => (Verdict::Refused, reason.clone()),
        End::Interrupted(signal) => {
            (Verdict::Inconclusive, format!("interrupted by {signal} in phase {}", case.stage.name()))
        }
        End::NotObserved(reason) => (Verdict::Inconclusive, reason.clone()),
        End::NotInhibited(reason) => (Verdict::Missed, reason.clone()),
        End::Missed(stage) => missed(case, *stage, likeliest),
        End::Complete => complete(case, &phases),
    };
    let (verdict, reason) = restarted(case, verdict, reason);
    if case.not_undone.is_empty() {
        return Judgement { verdict, reason };
    }
    let left = format!("the cause was not undone: {}", case.not_undone.join("; "));
    // Everything after the lifting of the cause happened while it was still in effect.
    match end {
        End::Complete | End::NotInhibited(_) | End::Missed(Stage::Resolved | Stage::AllClear) => {
            Judgement { verdict: Verdict::Inconclusive, reason: left }
        }
        _ => Judgement { verdict, reason: format!("{reason}; in addition, {left}") },
    }
}

/// A phase may be missed or late only because a system restarted, and without the inbox's notifications nothing is proven:
/// both make the verdict inconclusive.
fn restarted(case: &Case, verdict: Verdict, reason: String) -> (Verdict, String) {
    let doubts = |restart: &&Restart| match verdict {
        Verdict::Missed | Verdict::Late => true,
        // What one of several had sent when it ended, another may send again.
        Verdict::Unexpected => restart.gone,
        Verdict::Proven => restart.forgets,
        Verdict::Inconclusive | Verdict::Refused => false,
    };
    let Some(Restart { system, at, gone, .. }) = case.restarts.iter().find(doubts) else {
        return (verdict, reason);
    };
    let at = time_of_day(*at);
    let what = if *gone {
        format!("one of several servers ({system}) stopped responding at {at}")
    } else {
        format!("{system} was restarted at {at}")
    };
    (Verdict::Inconclusive, format!("{what}, so part of the evidence may be missing: {reason}"))
}

fn missed(case: &Case, stage: Stage, likeliest: Option<&str>) -> (Verdict, String) {
    if let Some(gaps) = case.gaps.too_many() {
        return (Verdict::Inconclusive, format!("`{}` was not observed, but {gaps}", stage.name()));
    }
    if let Some(weak) = not_applied(case).filter(|_| stage <= Stage::Firing) {
        return (Verdict::Inconclusive, weak);
    }
    if let Some(reason) = not_observed(case).filter(|_| stage == Stage::Pending) {
        return (Verdict::Inconclusive, reason);
    }
    if let Some(reason) = not_stored(case).filter(|_| stage <= Stage::Firing) {
        return (Verdict::Inconclusive, reason);
    }
    let likeliest = changing(case).filter(|_| stage >= Stage::Firing).or(likeliest.map(str::to_owned));
    let mut reason = likeliest.unwrap_or_else(|| format!("the phase `{}` was not reached", stage.name()));
    if let Some(odd) = case.applied.as_ref().filter(|_| stage <= Stage::Firing).and_then(Applied::unexpected)
    {
        reason = format!("{reason}; {odd}");
    }
    if let Some(unexpected) = unexpected_alerts(&case.unexpected) {
        reason = format!("{reason}; in addition, {unexpected}");
    }
    (Verdict::Missed, reason)
}

/// Why the rule may have been evaluated too far in the past to see the cause in time: its expression had a result long enough
/// for an evaluation, and Prometheus does not report a group's `query_offset`.
fn not_observed(case: &Case) -> Option<String> {
    let rule_under_test = case.expectation.rule_under_test.as_ref()?;
    let (evidence, cause) = (case.evidence.as_ref()?, case.instants.cause?);
    let by = case.instants.lifted?;
    let explained = case.failure.is_some() || !evidence.rule_error.is_empty() || !evidence.unlike.is_empty();
    let seen_by = clock::before(by, rule_under_test.evaluation * 2);
    let held = evidence.holds.iter().find(|at| **at >= cause && **at <= seen_by).filter(|_| !explained)?;
    Some(format!(
        "the expression had a result at {}, but the rule was inactive until {}: its group `{}` may have a `query_offset`, which \
         Prometheus does not report",
        time_of_day(*held),
        time_of_day(by),
        rule_under_test.group
    ))
}

/// Why the alert may have fired: the rules say so, and no sample does.
fn not_stored(case: &Case) -> Option<String> {
    let at = case.fired_unstored?;
    Some(format!(
        "the rules showed the alert as firing at {}, but its samples in `ALERTS` do not: check that the server with the rules \
         stores them where the drill queries them (--query)",
        time_of_day(at)
    ))
}

/// Why the cause was not applied as the drill states it, if so.
fn not_applied(case: &Case) -> Option<String> {
    let broken = case.broke_off.first().map(|broken| broken.message.clone());
    let control = case.quiet().is_some();
    let traffic = case.applied.as_ref().and_then(|applied| {
        // Where the cause acts on the target, its responses may be what is tested, except in a control.
        applied.too_little().or_else(|| applied.other(case.acts).filter(|_| control || !case.acts))
    });
    broken.or(traffic).map(|why| format!("the cause was not applied as stated: {why}"))
}

/// Names each alert once, with all the ways in which it was noticed.
fn unexpected_alerts(unexpected: &[Unexpected]) -> Option<String> {
    let mut alerts: Vec<(&str, bool, Vec<&str>)> = Vec::new();
    for one in unexpected {
        let how = one.how.as_str();
        match alerts.iter_mut().find(|(alert, ..)| *alert == one.alert) {
            Some((_, _, noticed)) if noticed.contains(&how) => {}
            Some((_, _, noticed)) => noticed.push(how),
            None => alerts.push((&one.alert, one.named_silent, vec![how])),
        }
    }
    let message = alerts.iter().map(|(alert, named_silent, noticed)| {
        let expected = if *named_silent { ", although it is expected to stay silent" } else { "" };
        format!("{alert} {}{expected}", noticed.join(" and "))
    });
    (!alerts.is_empty()).then(|| message.collect::<Vec<_>>().join(", "))
}

fn complete(case: &Case, phases: &Phases) -> (Verdict, String) {
    if let Some(odd) = changing(case).or_else(|| contradiction(case)) {
        return (Verdict::Inconclusive, odd);
    }
    if let Some(unexpected) = unexpected_alerts(&case.unexpected) {
        return (Verdict::Unexpected, format!("{unexpected}; nothing in the drill explains it"));
    }
    let (late, broken_promises) = (late(phases), broken_promises(case));
    let unknown = case.expectation.rule_under_test.iter().flat_map(|rule| &rule.offset_unknown);
    let unknown: Vec<String> = unknown.map(|group| format!("`{group}`")).collect();
    if !late.is_empty() && broken_promises.is_empty() && !unknown.is_empty() {
        let reason = format!(
            "{}, but the rule group {} may have a `query_offset`, which Prometheus does not report",
            late.join("; "),
            unknown.join(" or ")
        );
        return (Verdict::Inconclusive, reason);
    }
    let late: Vec<String> = late.into_iter().chain(broken_promises).collect();
    if !late.is_empty() {
        return (Verdict::Late, late.join("; "));
    }
    if let Some(quiet) = case.quiet() {
        if let Some(weak) = not_applied(case) {
            return (Verdict::Inconclusive, weak);
        }
        return match near::judge(&case.near, quiet) {
            Ok(message) => (Verdict::Proven, message),
            Err(far) => (Verdict::Inconclusive, far.to_string()),
        };
    }
    if let Some(broken) = case.broke_off.iter().find(|broken| broken.failed) {
        let reason = format!(
            "the cause was not applied as stated: {}; something else triggered the alert",
            broken.message
        );
        return (Verdict::Inconclusive, reason);
    }
    // A drill of the heartbeat has two phases; any other has all five, and each needs a bound.
    let followed = phases.pending.bound_seconds.is_some();
    let unmeasured = phases.named().iter().any(|(name, phase)| {
        (followed || matches!(*name, "notified" | "all_clear"))
            && (phase.seconds.is_none() || phase.bound_seconds.is_none())
    });
    if unmeasured {
        // The run claims that every phase happened, so a missing timestamp is a gap in the evidence.
        return (Verdict::Inconclusive, "a phase timestamp is missing".to_owned());
    }
    let counted = if case.expectation.counted { format!("; {COUNTED_ONLY}") } else { String::new() };
    (Verdict::Proven, format!("every phase was within its bound{counted}"))
}

/// The reason when labels of the alert change while its condition holds.
fn changing(case: &Case) -> Option<String> {
    let rule_under_test = case.expectation.rule_under_test.as_ref()?;
    let cause = case.instants.cause?;
    // Activations before the cause or after it was lifted do not count.
    let own =
        |it: &&Activation| it.began >= cause && case.instants.lifted.is_none_or(|lifted| it.began <= lifted);
    let own: Vec<Activation> = case.activations.iter().filter(own).cloned().collect();
    let Changing { label, values } =
        changing::changing(&own, &rule_under_test.with_value, rule_under_test.evaluation)?;
    let values: Vec<_> = values.iter().take(3).map(|value| format!("{value:?}")).collect();
    Some(format!(
        "the label `{label}` changes from one evaluation to the next ({}, …), and each value is a separate alert: none stays \
         pending or firing; put the value into an annotation",
        values.join(", ")
    ))
}

/// The phases that took longer than their bounds.
fn late(phases: &Phases) -> Vec<String> {
    let mut late = Vec::new();
    for (name, phase) in phases.named() {
        if let (Some(seconds), Some(bound)) = (phase.seconds, phase.bound_seconds)
            && seconds > bound + STAMP_SECONDS
        {
            late.push(format!(
                "{name} took {}, more than its bound of {}",
                readable(seconds),
                readable(bound)
            ));
        }
    }
    late
}

/// The objectives that were not met.
fn broken_promises(case: &Case) -> Vec<String> {
    let mut late = Vec::new();
    let promises = [
        ("notified", case.objective.notified, last_of(&case.instants.notified, &case.expectation.channels)),
        (
            "all-clear",
            case.objective.all_clear,
            last_of(&case.instants.all_clear, &case.expectation.channels),
        ),
    ];
    for (name, promise, at) in promises {
        if let (Some(promise), Some(at), Some(cause)) = (promise, at, case.instants.cause) {
            let (took, promise) = (clock::seconds(cause, at), promise.as_secs_f64());
            if took > promise {
                late.push(format!(
                    "{name} {} after the cause began, later than the objective of {}",
                    readable(took),
                    readable(promise)
                ));
            }
        }
    }
    late
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
