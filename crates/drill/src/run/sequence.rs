//! The course of a drill: preflight, baseline, cause, firing and delivered, lifted, resolved and told.

use crate::context::Context;
use crate::evidence::notifications::last_id;
use crate::run::lift::go_on;
use crate::run::lift::lift;
use std::time::Duration;

use jiff::Timestamp;

use crate::causes::traffic::Load;
use crate::causes::{self, GRACE};
use crate::file::drill::Drill;
use crate::observe::gather;
use crate::observe::unexpected;
use crate::observe::watch::{self, Watch};
use crate::record::Record;
use crate::record::stage::End;
use crate::record::stage::Stage;
use crate::run::baseline;
use crate::run::controls;
use crate::run::inhibition;
use crate::run::isolation;
use crate::run::preflight;
use crate::run::quiet;
use crate::timing::bounds::{Bounds, patience};
use crate::timing::clock::{self, Deadline};

/// On top of the waits of a drill, how long a fault outlasts them.
const OUTLAST: Duration = Duration::from_secs(30);

/// Goes through the course and leaves in `record` what happened and how it ended. May be dropped at any point: load
/// is stopped by its guards, the rest is left for [`Undoing::undo_all`].
pub async fn run(context: &Context<'_>, drill: &Drill, record: &mut Record) {
    if let Err(reason) = context.undoing.make_sound().await {
        record.end = Some(End::Refused(reason));
        return;
    }
    let ended = match (drill.proves.quiet, drill.proves.stops) {
        (Some(length), _) => controls::nothing(context, drill, length.div_f64(context.scale), record).await,
        (None, true) => controls::stops(context, drill, record).await,
        (None, false) => begin(context, drill, record).await,
    };
    if record.not_undone.is_empty() {
        lift(context, record).await; // nothing is left to undo, unless the course broke off
    }
    record.end = Some(ended.unwrap_or_else(End::Refused));
}

/// # Errors
/// Why the drill is refused.
async fn begin(context: &Context<'_>, drill: &Drill, record: &mut Record) -> Result<End, String> {
    context.progress.show(record);
    let (subject, jobs) = preflight::check(context, drill, record).await?;
    let arrived = context.systems.arrived(0).await.map_err(|error| error.to_string())?;
    let mut running = baseline::steady(context, drill, &subject, &jobs, record).await?;
    // Traffic may have ended an activation (of an alert on its absence, say), which is not the one to follow.
    let earlier = quiet::forgotten(context, &subject, record).await?;
    // And others may have come and gone while it was steadied.
    isolation::told(context, drill, &subject, record).await?;
    let baseline = record.instants.baseline.filter(|_| !earlier);
    let since = baseline.unwrap_or_else(Timestamp::now);
    let scrape = record.inputs.map_or(subject.evaluation, |inputs| inputs.scrape);
    let mut watch = Watch::new(context, drill, &subject, scrape, since, last_id(&arrived));
    if record.counted {
        watch.count(record).await;
    }

    let cause_at = Timestamp::now();
    record.instants.cause = Some(cause_at);
    record.enter(Stage::Pending, cause_at);
    context.progress.show(record);
    let ttl = record.bounds.map_or(OUTLAST, |bounds| {
        patience(bounds.pending) + patience(bounds.firing) + patience(bounds.notified) + OUTLAST
    });
    let caused =
        causes::apply(context.undoing, &record.drill.clone(), &drill.cause, ttl, scrape.mul_f64(2.5)).await;
    let caused = match caused {
        Ok(caused) => caused,
        Err(reason) => return Ok(End::Unseen(format!("the cause could not be applied: {reason}"))),
    };
    caused.traffic().into_iter().for_each(|running| record.traffic.follow(Load::Cause, running));
    let ordered = Duration::from_secs_f64(clock::seconds(cause_at, Timestamp::now()).max(0.0));
    if let (Some(inputs), Some(bounds)) = (record.inputs.as_mut(), record.bounds.as_mut()) {
        inputs.ordered = ordered;
        bounds.pending += ordered;
    }
    if causes::replaces_baseline(&drill.cause)
        && let Some(running) = running.take()
    {
        running.stop(GRACE).await;
    }

    let missed = caught(&mut watch, record, scrape).await;
    if missed == Some(Stage::Notified)
        && let Some(labels) = record.labels.clone()
    {
        let held = gather::held(&context.systems.alertmanager, &labels).await;
        record.held = record.gaps.note("held", held).flatten();
    }
    let free = match missed {
        None => inhibition::seen(context, drill, scrape, record).await,
        Some(_) => None,
    };

    // Baseline traffic is there before the cause goes, so that the target is never idle.
    go_on(context, drill, record, &mut running);
    record.applied = caused.lift().await;
    lift(context, record).await;
    let lifted = Timestamp::now();
    record.instants.lifted = Some(lifted);
    let end = match missed {
        // What never fired has nothing to resolve.
        Some(stage @ (Stage::Pending | Stage::Firing)) => End::Missed(stage),
        missed => {
            record.enter(Stage::Resolved, lifted);
            let later = recovered(&mut watch, record, missed.is_none()).await;
            if missed.is_none() && later.is_none() {
                inhibition::over(context, drill, scrape, record).await;
                watch.look(record).await;
            }
            missed.or(later).map_or(End::Whole, End::Missed)
        }
    };
    unexpected::collect(context, drill, Some(&subject), since, record).await;
    if let Some(running) = running {
        running.stop(GRACE).await;
    }
    if end == End::Whole
        && let Some(free) = free
    {
        return Ok(End::NotInhibited(free));
    }
    if end == End::Whole && record.counted {
        let own = record.labels.clone().unwrap_or_else(|| subject.known.clone());
        if let Err(reason) | Ok(Some(reason)) =
            isolation::meanwhile(context, drill, &subject, record, &own, cause_at).await
        {
            return Ok(End::Unseen(reason));
        }
    }
    if end == End::Whole
        && let Some(gap) = record.gaps.blind.get("every ALERTS").or_else(|| record.gaps.blind.get("inbox"))
    {
        return Ok(End::Unseen(format!("whether anything else fired could not be seen: {gap}")));
    }
    Ok(end)
}

/// The last instant a phase that began at `from` is waited for: its bound and patience, but not longer past what the
/// drill promises, since then it is late in any case.
fn by(record: &Record, from: Timestamp, of: fn(&Bounds) -> Duration, promise: Option<Duration>) -> Deadline {
    let limit = patience(record.bounds.as_ref().map(of).unwrap_or_default());
    let cause = record.instants.cause.unwrap_or(record.started);
    let left = promise.map(|promise| {
        let past = clock::after(cause, patience(promise));
        Duration::from_secs_f64(clock::seconds(from, past).max(1.0))
    });
    Deadline::after(from, left.map_or(limit, |left| limit.min(left)))
}

/// Waits for pending, firing and notified, each within its bound and patience; gives the one that was missed.
async fn caught(watch: &mut Watch<'_>, record: &mut Record, scrape: Duration) -> Option<Stage> {
    let cause_at = record.instants.cause.unwrap_or(record.started);
    let promise = record.objective.notified;
    let pending_by = by(record, cause_at, |bounds| bounds.pending, promise);
    loop {
        let fires_or_pends =
            |watch: &Watch<'_>, record: &Record| record.instants.firing.is_some() || watch.active();
        if !watch.until(record, pending_by, fires_or_pends).await {
            // It was pending and lapsed: what is missing is the firing.
            return Some(if record.instants.pending.is_some() { Stage::Firing } else { Stage::Pending });
        }
        let pending = record.instants.pending.unwrap_or(cause_at);
        record.enter(Stage::Firing, pending);
        let firing_by = by(record, pending, |bounds| bounds.firing, promise);
        let fires_or_lapses =
            |watch: &Watch<'_>, record: &Record| record.instants.firing.is_some() || !watch.active();
        if !watch.until(record, firing_by, fires_or_lapses).await {
            return Some(Stage::Firing);
        }
        if record.instants.firing.is_some() {
            break;
        }
        record.event(Timestamp::now(), "no longer pending");
        record.enter(Stage::Pending, cause_at);
    }
    watch.settle_bounds(record, scrape).await;
    let firing = record.instants.firing.unwrap_or(cause_at);
    record.enter(Stage::Notified, firing);
    let notified_by = by(record, firing, |bounds| bounds.notified, promise);
    let notified = watch.until(record, notified_by, |_, record| watch::all_notified(record)).await;
    (!notified).then_some(Stage::Notified)
}

/// Waits for resolved and, when the receivers were notified, for told; gives the one that was missed.
async fn recovered(watch: &mut Watch<'_>, record: &mut Record, notified: bool) -> Option<Stage> {
    let lifted = record.instants.lifted.unwrap_or(record.started);
    let promise = record.objective.told_resolved;
    let resolved_by = by(record, lifted, |bounds| bounds.resolved, promise);
    if !watch.until(record, resolved_by, |_, record| record.instants.resolved.is_some()).await {
        return Some(Stage::Resolved);
    }
    if !notified {
        return None;
    }
    let resolved = record.instants.resolved.unwrap_or(lifted);
    record.enter(Stage::Told, resolved);
    let told_by = by(record, resolved, |bounds| bounds.told, promise);
    let told = watch.until(record, told_by, |_, record| watch::all_told(record)).await;
    (!told).then_some(Stage::Told)
}
