//! Observes a drill: from the cause to the notifications, and from its lifting to the all-clear.

use std::time::Duration;

use jiff::Timestamp;

use crate::context::Context;
use crate::observe::near;
use crate::observe::watch::Watch;
use crate::observe::{gather, settle, unexpected};
use crate::record::event::Event;
use crate::record::stage::{End, Stage};
use crate::run::cause::Applied;
use crate::run::lift::Lifted;
use crate::run::{inhibition, isolation};
use crate::timing::bounds::{Bounds, patience};
use crate::timing::clock::{self, Deadline};
use clients::SystemError;

/// What was observed while the cause was in effect.
#[derive(Debug)]
pub struct Observed<'a> {
    /// The watch, which continues.
    pub watch: Watch<'a>,
    /// The phase that did not happen in time.
    missed: Option<Stage>,
    /// Alerts that were to be inhibited and were not, as text.
    not_inhibited: Option<String>,
    /// Result of the query for the values that a control names in `near`.
    near: Result<(), SystemError>,
}

/// Observes the effects of the cause while it is in effect.
pub async fn observe<'a>(context: &Context<'_>, watch: Watch<'a>, applied: &Applied) -> Observed<'a> {
    let cause = applied.at;
    let mut watch = watch.caused(cause, applied.expectation.clone());
    let (mut missed, mut not_inhibited, mut near) = (None, None, Ok(()));
    if let Some(length) = watch.expectation.quiet {
        watch.until(Deadline::after(cause, length), |_| false).await;
        near = near::reached(context, cause).await;
    } else if context.drill.proves.stops {
        let deadline = by(&watch, cause, (cause, None), |bounds| bounds.notified);
        missed = (!watch.until(deadline, Watch::all_notified).await).then_some(Stage::Notified);
    } else {
        missed = caught(context, &mut watch, cause).await;
        if missed == Some(Stage::Notified)
            && let Some(labels) = &watch.seen.labels
        {
            let held = gather::held(&context.systems.alertmanager, labels).await;
            context
                .log
                .queried("held", held)
                .flatten()
                .into_iter()
                .for_each(|held| context.log.append(Event::Held(held)));
        }
        if missed.is_none() {
            not_inhibited = inhibition::seen(context, watch.expectation.scrape()).await;
        }
    }
    Observed { watch, missed, not_inhibited, near }
}

/// Observes the recovery after the cause, in effect since `cause`, was lifted; returns how the drill ends.
pub async fn recovery(
    context: &Context<'_>,
    observed: Observed<'_>,
    cause: Timestamp,
    lifted: &Lifted,
) -> End {
    let Observed { watch, missed, not_inhibited, near } = observed;
    let mut watch = watch.lifted(lifted.began);
    let lifted = lifted.at;
    let control = watch.expectation.quiet.is_some();
    let later = match missed {
        _ if control => None,
        _ if context.drill.proves.stops => {
            context.enter(Stage::AllClear, lifted);
            let deadline = by(&watch, lifted, (cause, None), |bounds| bounds.all_clear);
            (!watch.until(deadline, Watch::all_clear_arrived).await).then_some(Stage::AllClear)
        }
        // An alert that never fired cannot resolve.
        Some(Stage::Pending | Stage::Firing) => None,
        missed => {
            let later = recovered(context, &mut watch, cause, lifted, missed.is_none()).await;
            if missed.is_none() && later.is_none() {
                let scrape = watch.expectation.scrape();
                inhibition::over(context, scrape, &watch.expectation.outgoing).await;
                watch.look().await;
            }
            later
        }
    };
    let missed = missed.or(later);
    if context.drill.proves.stops {
        return missed.map_or(End::Complete, End::Missed);
    }
    let (seen, expectation) = (watch.seen.clone(), watch.expectation.clone());
    unexpected::collect(context, watch).await;
    if let Some(missed) = missed {
        return End::Missed(missed);
    }
    if let Err(reason) = near {
        return End::NotObserved(format!("the query for the values near the thresholds failed: {reason}"));
    }
    if let Some(free) = not_inhibited {
        return End::NotInhibited(free);
    }
    if let Some(rule_under_test) = expectation.rule_under_test.as_ref().filter(|_| expectation.counted) {
        let own = seen.labels.unwrap_or_else(|| rule_under_test.known.clone());
        match isolation::meanwhile(context, rule_under_test, &expectation, &own, cause).await {
            Ok(None) => {}
            Ok(Some(reason)) => return End::NotObserved(reason),
            Err(error) => return End::NotObserved(error.to_string()),
        }
    }
    let gaps = context.log.case().gaps;
    let anything = if control { "anything" } else { "anything else" };
    match gaps.blind.get("every ALERTS").or_else(|| gaps.blind.get("inbox")) {
        Some(gap) => End::NotObserved(format!("it is unknown whether {anything} fired: {gap}")),
        None => End::Complete,
    }
}

/// The deadline of a phase that began at `from`: its bound and patience, but no longer than patience after the drill's
/// objective, since then the drill is LATE in any case.
fn by(
    watch: &Watch<'_>,
    from: Timestamp,
    (cause, promise): (Timestamp, Option<Duration>),
    of: fn(&Bounds) -> Duration,
) -> Deadline {
    let stored_after =
        watch.expectation.rule_under_test.as_ref().map_or(Duration::ZERO, |rule| rule.stored_after);
    let limit = patience(watch.expectation.bounds.as_ref().map(of).unwrap_or_default()) + stored_after;
    let left = promise.map(|promise| {
        let past = clock::after(cause, patience(promise));
        Duration::from_secs_f64(clock::seconds(from, past).max(1.0))
    });
    Deadline::after(from, left.map_or(limit, |left| limit.min(left)))
}

/// Waits for pending, firing and notified, each within its bound and patience; returns the phase that was missed.
async fn caught(context: &Context<'_>, watch: &mut Watch<'_>, cause: Timestamp) -> Option<Stage> {
    let promise = (cause, context.drill.objective.scaled(context.scale).notified);
    let pending_by = by(watch, cause, promise, |bounds| bounds.pending);
    loop {
        if !watch.until(pending_by, |watch| watch.seen.firing.is_some() || watch.active()).await {
            // It was pending and became inactive, so the missing phase is firing.
            return Some(if watch.seen.pending.is_some() { Stage::Firing } else { Stage::Pending });
        }
        offset_known(watch, |_| true).await;
        let pending = watch.seen.pending.unwrap_or(cause);
        context.enter(Stage::Firing, pending);
        let firing_by = by(watch, pending, promise, |bounds| bounds.firing);
        if !watch.until(firing_by, |watch| watch.seen.firing.is_some() || !watch.active()).await {
            return Some(Stage::Firing);
        }
        if watch.seen.firing.is_some() {
            break;
        }
        context.log.note(Timestamp::now(), "no longer pending");
        context.enter(Stage::Pending, cause);
    }
    offset_known(watch, |watch| watch.seen.firing.is_some()).await;
    settle::bounds(context, watch).await;
    let firing = watch.seen.firing.unwrap_or(cause);
    context.enter(Stage::Notified, firing);
    let notified_by = by(watch, firing, promise, |bounds| bounds.notified);
    (!watch.until(notified_by, Watch::all_notified).await).then_some(Stage::Notified)
}

/// Waits, while the alert is active, until the next evaluation has shown the `query_offset` of its samples, unless it
/// is known: the timestamps derived from them may be too early. After it, `also` must hold.
async fn offset_known(watch: &mut Watch<'_>, also: fn(&Watch<'_>) -> bool) {
    let evaluation = watch.expectation.inputs.map_or(Duration::ZERO, |inputs| inputs.evaluation);
    let limit = Deadline::within(evaluation * 3);
    watch.until(limit, |watch| !watch.active() || (watch.offset_known() && also(watch))).await;
}

/// Waits for resolved and, if the receivers were notified, for the all-clear; returns the phase that was missed.
async fn recovered(
    context: &Context<'_>,
    watch: &mut Watch<'_>,
    cause: Timestamp,
    lifted: Timestamp,
    notified: bool,
) -> Option<Stage> {
    context.enter(Stage::Resolved, lifted);
    let promise = (cause, context.drill.objective.scaled(context.scale).all_clear);
    let resolved_by = by(watch, lifted, promise, |bounds| bounds.resolved);
    if !watch.until(resolved_by, |watch| watch.seen.resolved.is_some()).await {
        return Some(Stage::Resolved);
    }
    if !notified {
        return None;
    }
    let resolved = watch.seen.resolved.unwrap_or(lifted);
    context.enter(Stage::AllClear, resolved);
    let all_clear_by = by(watch, resolved, promise, |bounds| bounds.all_clear);
    (!watch.until(all_clear_by, Watch::all_clear_arrived).await).then_some(Stage::AllClear)
}
