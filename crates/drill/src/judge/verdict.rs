//! From what was observed to a verdict with its reason; no I/O.

use crate::causes::applied::Applied;
use crate::evidence::activation::Activation;
use crate::evidence::changing::{self, Changing};
use crate::evidence::count::SAID;
use crate::evidence::near;
use crate::judge::contradiction::contradiction;
use crate::judge::diagnosis::{self, Signs};
use crate::record::case::Case;
use crate::record::event::{Restart, Unexpected};
use crate::record::judgement::{Judgement, Verdict};
use crate::record::stage::{End, Stage};
use crate::timing::clock::{readable, time_of_day};
use crate::timing::phases::{Phases, STAMP_SECONDS, last_of};

/// Judges. Of several things that went wrong, the one that makes the others doubtful comes first: what could not
/// be seen, then what did not happen, then what should not have, then what came late.
#[must_use]
pub fn judge(case: &Case) -> Judgement {
    let likeliest = match &case.end {
        Some(End::Missed(missed)) => Signs::of(case, *missed).map(|signs| diagnosis::likeliest(&signs)),
        _ => None,
    };
    given(case, likeliest.as_deref())
}

/// Judges, given the likeliest cause of a miss.
pub(super) fn given(case: &Case, likeliest: Option<&str>) -> Judgement {
    let phases = case.phases();
    let unseen = End::Unseen("the run did not end".to_owned());
    let end = case.end.as_ref().unwrap_or(&unseen);
    let (verdict, reason) = match end {
        End::Refused(reason) => (Verdict::Refused, reason.clone()),
        End::Interrupted(signal) => {
            (Verdict::Inconclusive, format!("interrupted by {signal} in phase {}", case.stage.name()))
        }
        End::Unseen(reason) => (Verdict::Inconclusive, reason.clone()),
        End::NotInhibited(reason) => (Verdict::Missed, reason.clone()),
        End::Missed(stage) => missed(case, *stage, likeliest),
        End::Whole => whole(case, &phases),
    };
    let (verdict, reason) = restarted(case, verdict, reason);
    if case.not_undone.is_empty() {
        return Judgement { verdict, reason };
    }
    let left = format!("the cause was not undone: {}", case.not_undone.join("; "));
    // What came after it should have been lifted came with the cause still there.
    match end {
        End::Whole | End::NotInhibited(_) | End::Missed(Stage::Resolved | Stage::AllClear) => {
            Judgement { verdict: Verdict::Inconclusive, reason: left }
        }
        _ => Judgement { verdict, reason: format!("{reason}; besides, {left}") },
    }
}

/// A phase that is missed or late while a system was started anew may be so for that alone; and without what the inbox had
/// received nothing is proven.
fn restarted(case: &Case, verdict: Verdict, reason: String) -> (Verdict, String) {
    let doubtful = matches!(verdict, Verdict::Missed | Verdict::Late);
    let doubts = |restart: &&Restart| doubtful || (restart.forgets && verdict == Verdict::Proven);
    let Some(Restart { system, at, .. }) = case.restarts.iter().find(doubts) else {
        return (verdict, reason);
    };
    let at = time_of_day(*at);
    (
        Verdict::Inconclusive,
        format!("{system} was restarted at {at}, so part of the evidence may be missing: {reason}"),
    )
}

fn missed(case: &Case, stage: Stage, likeliest: Option<&str>) -> (Verdict, String) {
    if let Some(gaps) = case.gaps.too_many() {
        return (Verdict::Inconclusive, format!("`{}` was not seen, but {gaps}", stage.name()));
    }
    if let Some(weak) = not_applied(case).filter(|_| stage <= Stage::Firing) {
        return (Verdict::Inconclusive, weak);
    }
    let likeliest = changing(case).filter(|_| stage >= Stage::Firing).or(likeliest.map(str::to_owned));
    let mut reason = likeliest.unwrap_or_else(|| format!("`{}` did not happen", stage.name()));
    if let Some(odd) = case.applied.as_ref().filter(|_| stage <= Stage::Firing).and_then(Applied::unexpected)
    {
        reason = format!("{reason}; {odd}");
    }
    if let Some(unexpected) = surprised(&case.unexpected) {
        reason = format!("{reason}; besides, {unexpected}");
    }
    (Verdict::Missed, reason)
}

/// Why the cause was not applied as the drill states it, if so.
fn not_applied(case: &Case) -> Option<String> {
    let broken = case.broke_off.first().map(|broken| broken.said.clone());
    let control = case.quiet().is_some();
    let traffic = case.applied.as_ref().and_then(|applied| {
        // Where the cause does something to the target, how that answers may be the very point, but not of a control.
        applied.too_little().or_else(|| applied.other(case.acts).filter(|_| control || !case.acts))
    });
    broken.or(traffic).map(|why| format!("the cause was not applied as stated: {why}"))
}

/// Each alert once, with all the ways it was noticed.
fn surprised(unexpected: &[Unexpected]) -> Option<String> {
    let mut alerts: Vec<(&str, bool, Vec<&str>)> = Vec::new();
    for surprise in unexpected {
        let how = surprise.how.as_str();
        match alerts.iter_mut().find(|(alert, ..)| *alert == surprise.alert) {
            Some((_, _, noticed)) if noticed.contains(&how) => {}
            Some((_, _, noticed)) => noticed.push(how),
            None => alerts.push((&surprise.alert, surprise.named_silent, vec![how])),
        }
    }
    let said = alerts.iter().map(|(alert, named_silent, noticed)| {
        let expected = if *named_silent { " although it is expected to stay silent" } else { "" };
        format!("{alert} {}{expected}", noticed.join(" and "))
    });
    (!alerts.is_empty()).then(|| said.collect::<Vec<_>>().join(", "))
}

fn whole(case: &Case, phases: &Phases) -> (Verdict, String) {
    if let Some(odd) = changing(case).or_else(|| contradiction(case)) {
        return (Verdict::Inconclusive, odd);
    }
    if let Some(unexpected) = surprised(&case.unexpected) {
        return (Verdict::Unexpected, format!("{unexpected}; nothing in the drill explains it"));
    }
    let late = late(case, phases);
    if !late.is_empty() {
        return (Verdict::Late, late.join("; "));
    }
    if let Some(quiet) = case.quiet() {
        if let Some(weak) = not_applied(case) {
            return (Verdict::Inconclusive, weak);
        }
        return match near::judge(&case.near, quiet) {
            Ok(said) => (Verdict::Proven, said),
            Err(far) => (Verdict::Inconclusive, far.to_string()),
        };
    }
    if let Some(broken) = case.broke_off.iter().find(|broken| broken.failed) {
        let reason = format!("the cause was not applied as stated: {}; what tripped the alert?", broken.said);
        return (Verdict::Inconclusive, reason);
    }
    // A heartbeat's drill has two phases; any other has all five, of which one without a bound is a hole.
    let followed = phases.pending.bound_seconds.is_some();
    let unmeasured = phases.named().iter().any(|(name, phase)| {
        (followed || matches!(*name, "notified" | "all_clear"))
            && (phase.seconds.is_none() || phase.bound_seconds.is_none())
    });
    if unmeasured {
        // The run says all happened: a missing timestamp is a hole in the evidence, not a proof.
        return (Verdict::Inconclusive, "a phase timestamp is missing".to_owned());
    }
    let counted = if case.expectation.counted { format!("; {SAID}") } else { String::new() };
    (Verdict::Proven, format!("every phase within its bound{counted}"))
}

/// That the alert's labels change while its condition holds, in words, if so.
fn changing(case: &Case) -> Option<String> {
    let subject = case.expectation.subject.as_ref()?;
    let cause = case.instants.cause?;
    // What was active before the cause, or begins after it was lifted, is another story.
    let own =
        |it: &&Activation| it.began >= cause && case.instants.lifted.is_none_or(|lifted| it.began <= lifted);
    let own: Vec<Activation> = case.activations.iter().filter(own).cloned().collect();
    let Changing { label, values } = changing::changing(&own, &subject.with_value, subject.evaluation)?;
    let values: Vec<_> = values.iter().take(3).map(|value| format!("{value:?}")).collect();
    Some(format!(
        "the label `{label}` changes from one evaluation to the next ({}, …), and each value is another alert: none goes on \
         being pending or firing; put the value into an annotation",
        values.join(", ")
    ))
}

fn late(case: &Case, phases: &Phases) -> Vec<String> {
    let mut late = Vec::new();
    for (name, phase) in phases.named() {
        if let (Some(seconds), Some(bound)) = (phase.seconds, phase.bound_seconds)
            && seconds > bound + STAMP_SECONDS
        {
            late.push(format!("{name} took {}, bound {}", readable(seconds), readable(bound)));
        }
    }
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
            let (took, promise) = (crate::timing::clock::seconds(cause, at), promise.as_secs_f64());
            if took > promise {
                late.push(format!(
                    "{name} {} after the cause began, promised {}",
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
