//! From what was observed to a verdict with its reason; no I/O.

use crate::causes::applied::Applied;
use crate::causes::stack::Broken;
use crate::evidence::count::SAID;
use crate::evidence::gaps::Gaps;
use crate::evidence::near;
use crate::evidence::near::Near;
use crate::file::channel::Channel;
use crate::file::drill::Objective;
use crate::record::event::Surprise;
use crate::record::judgement::Judgement;
use crate::record::judgement::Verdict;
use crate::record::stage::End;
use crate::record::stage::Stage;
use crate::timing::bounds::Bounds;
use crate::timing::clock::readable;
use crate::timing::phases::{Instants, Measured, Phases, last_of};

/// Prometheus stores times in whole milliseconds: a phase may come out this much longer than it was.
const STAMP_SECONDS: f64 = 0.001;

/// What there is to judge.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// How the course ended.
    pub end: &'a End,
    /// Where it was when it ended.
    pub stage: Stage,
    /// What happened when.
    pub instants: &'a Instants,
    /// Where the time went; see [`crate::record::Record::phases`].
    pub phases: Phases,
    /// For a negative control: how long nothing might fire.
    pub quiet: Option<std::time::Duration>,
    /// How near it came to the thresholds it names.
    pub near: &'a [Near],
    /// The bounds, if the configuration could be read.
    pub bounds: Option<&'a Bounds>,
    /// Channels the notification must arrive on.
    pub expected: &'a [Channel],
    /// Promised times, scaled.
    pub objective: Objective,
    /// What nothing explains.
    pub surprises: &'a [Surprise],
    /// How well the systems answered.
    pub gaps: &'a Gaps,
    /// What the generator did.
    pub applied: Option<&'a Applied>,
    /// Whether the cause does something to the target beside traffic.
    pub acts: bool,
    /// Commands of the cause that were to go on and ended before.
    pub broke_off: &'a [Broken],
    /// What could not be undone of the cause.
    pub not_undone: &'a [String],
    /// Whether delivery was counted by Alertmanager, not seen by an inbox.
    pub counted: bool,
    /// The likeliest cause of a miss.
    pub likeliest: Option<&'a str>,
}

/// Judges. Of several things that went wrong, the one that makes the others doubtful comes first: what could not
/// be seen, then what did not happen, then what should not have, then what came late.
#[must_use]
pub fn judge(case: &Case<'_>) -> Judgement {
    let phases = case.phases;
    let (verdict, reason) = match case.end {
        End::Refused(reason) => (Verdict::Refused, reason.clone()),
        End::Interrupted(signal) => {
            (Verdict::Undecided, format!("interrupted by {signal} in phase {}", case.stage.name()))
        }
        End::Unseen(reason) => (Verdict::Undecided, reason.clone()),
        End::NotInhibited(reason) => (Verdict::Missed, reason.clone()),
        End::Missed(stage) => missed(case, *stage),
        End::Whole => whole(case, &phases),
    };
    if case.not_undone.is_empty() {
        return Judgement { verdict, reason };
    }
    let left = format!("the cause was not undone: {}", case.not_undone.join("; "));
    // What came after it should have been lifted came with the cause still there.
    match case.end {
        End::Whole | End::NotInhibited(_) | End::Missed(Stage::Resolved | Stage::Told) => {
            Judgement { verdict: Verdict::Undecided, reason: left }
        }
        _ => Judgement { verdict, reason: format!("{reason}; besides, {left}") },
    }
}

fn missed(case: &Case<'_>, stage: Stage) -> (Verdict, String) {
    if let Some(gaps) = case.gaps.too_many() {
        return (Verdict::Undecided, format!("`{}` was not seen, but {gaps}", stage.name()));
    }
    if let Some(weak) = not_applied(case).filter(|_| stage <= Stage::Firing) {
        return (Verdict::Undecided, weak);
    }
    let mut reason =
        case.likeliest.map_or_else(|| format!("`{}` did not happen", stage.name()), str::to_owned);
    if let Some(odd) = case.applied.filter(|_| stage <= Stage::Firing).and_then(Applied::unexpected) {
        reason = format!("{reason}; {odd}");
    }
    if let Some(surprises) = surprised(case.surprises) {
        reason = format!("{reason}; besides, {surprises}");
    }
    (Verdict::Missed, reason)
}

/// Why the cause was not applied as the drill states it, if so.
fn not_applied(case: &Case<'_>) -> Option<String> {
    let broken = case.broke_off.first().map(|broken| broken.said.clone());
    let control = case.quiet.is_some();
    let traffic = case.applied.and_then(|applied| {
        // Where the cause does something to the target, how that answers may be the very point, but not of a control.
        applied.too_little().or_else(|| applied.other(case.acts).filter(|_| control || !case.acts))
    });
    broken.or(traffic).map(|why| format!("the cause was not applied as stated: {why}"))
}

/// Each alert once, with all the ways it was noticed.
fn surprised(surprises: &[Surprise]) -> Option<String> {
    let mut alerts: Vec<(&str, bool, Vec<&str>)> = Vec::new();
    for surprise in surprises {
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

fn whole(case: &Case<'_>, phases: &Phases) -> (Verdict, String) {
    if let Some(negative) = negative(phases) {
        return (Verdict::Undecided, negative);
    }
    if let Some(surprises) = surprised(case.surprises) {
        return (Verdict::Unexpected, format!("{surprises}; nothing in the drill explains it"));
    }
    let late = late(case, phases);
    if !late.is_empty() {
        return (Verdict::Late, late.join("; "));
    }
    if let Some(quiet) = case.quiet {
        if let Some(weak) = not_applied(case) {
            return (Verdict::Undecided, weak);
        }
        return match near::judge(case.near, quiet) {
            Ok(said) => (Verdict::Proven, said),
            Err(far) => (Verdict::Undecided, far),
        };
    }
    if let Some(broken) = case.broke_off.iter().find(|broken| broken.failed) {
        let reason = format!("the cause was not applied as stated: {}; what tripped the alert?", broken.said);
        return (Verdict::Undecided, reason);
    }
    // A heartbeat's drill has two phases; any other has all five, of which one without a bound is a hole.
    let followed = phases.pending.bound_seconds.is_some();
    let unmeasured = phases.named().iter().any(|(name, phase)| {
        (followed || matches!(*name, "notified" | "told"))
            && (phase.seconds.is_none() || phase.bound_seconds.is_none())
    });
    if unmeasured {
        // The course says all happened: an instant that is missing is a hole in the evidence, not a proof.
        return (Verdict::Undecided, "an instant of the course is not on record".to_owned());
    }
    let counted = if case.counted { format!("; {SAID}") } else { String::new() };
    (Verdict::Proven, format!("every phase within its bound{counted}"))
}

/// A phase that ended before it began, in words.
fn negative(phases: &Phases) -> Option<String> {
    let suspicious = |(name, phase): &(&str, Measured)| {
        let seconds = phase.seconds.filter(|seconds| *seconds < -STAMP_SECONDS)?;
        let early = readable(-seconds);
        Some(match *name {
            "pending" => format!(
                "pending {early} before the cause began: something else tripped the alert, or clocks differ"
            ),
            "resolved" => {
                format!(
                    "resolved {early} before the cause was lifted: the condition did not last, or clocks differ"
                )
            }
            other => format!("`{other}` ended {early} before it began: clocks differ"),
        })
    };
    phases.named().iter().find_map(suspicious)
}

fn late(case: &Case<'_>, phases: &Phases) -> Vec<String> {
    let mut late = Vec::new();
    for (name, phase) in phases.named() {
        if let (Some(seconds), Some(bound)) = (phase.seconds, phase.bound_seconds)
            && seconds > bound + STAMP_SECONDS
        {
            late.push(format!("{name} took {}, bound {}", readable(seconds), readable(bound)));
        }
    }
    let promises = [
        ("notified", case.objective.notified, last_of(&case.instants.notified, case.expected)),
        ("told resolved", case.objective.told_resolved, last_of(&case.instants.told, case.expected)),
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
