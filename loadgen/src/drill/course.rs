//! The course of a drill: preflight, baseline, cause, firing and delivered, lifted, resolved and told.

use jiff::Timestamp;
use url::Url;

use super::baseline;
use super::bounds::{Bounds, patience};
use super::cause::{self, GRACE};
use super::clock::Deadline;
use super::evidence;
use super::file::Drill;
use super::preflight;
use super::progress::Progress;
use super::record::{End, Record, Stage};
use super::suite::Suite;
use super::watch::{self, Systems, Watch};
use crate::run::engine;

/// What every drill of a run shares.
#[derive(Debug)]
pub struct Context<'a> {
    /// The systems under proof.
    pub systems: &'a Systems,
    /// Where load is sent.
    pub target: &'a Url,
    /// Ambient alerts.
    pub suite: &'a Suite,
    /// Shows where the course is.
    pub progress: &'a Progress,
    /// Whether no drill of this run went before: what is active then was not caused by one.
    pub first: bool,
}

/// Goes through the course and leaves in `record` what happened and how it ended. May be dropped at any point:
/// load and causes are undone by their guards.
pub async fn run(context: &Context<'_>, drill: &Drill, record: &mut Record) {
    let end = match begin(context, drill, record).await {
        Ok(end) => end,
        Err(reason) => End::Refused(reason),
    };
    record.end = Some(end);
}

/// # Errors
/// Why the drill is refused; nothing was caused then.
async fn begin(context: &Context<'_>, drill: &Drill, record: &mut Record) -> Result<End, String> {
    context.progress.show(record);
    let (subject, jobs) = preflight::check(context, drill, record).await?;
    let arrived = context.systems.inbox.notifications(0).await.map_err(|error| error.to_string())?;
    let running = baseline::steady(context, drill, &subject, &jobs, record).await?;
    let since = record.instants.baseline.unwrap_or(record.started);
    let scrape = record.inputs.map_or(subject.evaluation, |inputs| inputs.scrape);
    let mut watch = Watch::new(context, drill, &subject, scrape, since, watch::last_id(&arrived));

    let cause_at = Timestamp::now();
    let caused = cause::apply(context.target, &drill.cause)?;
    record.instants.cause = Some(cause_at);
    record.enter(Stage::Pending, cause_at);
    let mut baseline = Some(running);
    if cause::replaces_baseline(&drill.cause)
        && let Some(running) = baseline.take()
    {
        running.stop(GRACE).await;
    }

    let missed = caught(&mut watch, record, scrape).await;
    if missed == Some(Stage::Notified)
        && let Some(labels) = record.labels.clone()
    {
        let held = evidence::held(&context.systems.alertmanager, &labels).await;
        record.held = record.gaps.note("held", held).flatten();
    }

    // Baseline traffic is there before the cause goes, so that the target is never idle.
    if baseline.is_none() {
        match engine::start_endless(context.target, &drill.baseline) {
            Ok(running) => baseline = Some(running),
            Err(error) => {
                record.event(Timestamp::now(), format!("baseline traffic could not go on: {error}"))
            }
        }
    }
    record.applied = caused.lift().await;
    let lifted = Timestamp::now();
    record.instants.lifted = Some(lifted);
    let end = match missed {
        // What never fired has nothing to resolve.
        Some(stage @ (Stage::Pending | Stage::Firing)) => End::Missed(stage),
        missed => {
            record.enter(Stage::Resolved, lifted);
            let later = recovered(&mut watch, record, missed.is_none()).await;
            missed.or(later).map_or(End::Whole, End::Missed)
        }
    };
    watch.surprises(record).await;
    if let Some(running) = baseline {
        running.stop(GRACE).await;
    }
    if end == End::Whole
        && let Some(gap) = record.gaps.blind.get("every ALERTS").or_else(|| record.gaps.blind.get("inbox"))
    {
        return Ok(End::Unseen(format!("whether anything else fired could not be seen: {gap}")));
    }
    Ok(end)
}

/// Waits for pending, firing and notified, each within its bound and patience; gives the one that was missed.
async fn caught(watch: &mut Watch<'_>, record: &mut Record, scrape: std::time::Duration) -> Option<Stage> {
    let bound = |record: &Record, of: fn(&Bounds) -> std::time::Duration| {
        patience(record.bounds.as_ref().map(of).unwrap_or_default())
    };
    let cause_at = record.instants.cause.unwrap_or(record.started);
    let pending_by = Deadline::after(cause_at, bound(record, |bounds| bounds.pending));
    loop {
        let fires_or_pends =
            |watch: &Watch<'_>, record: &Record| record.instants.firing.is_some() || watch.active();
        if !watch.until(record, pending_by, fires_or_pends).await {
            // It was pending and lapsed: what is missing is the firing.
            return Some(if record.instants.pending.is_some() { Stage::Firing } else { Stage::Pending });
        }
        let pending = record.instants.pending.unwrap_or(cause_at);
        record.enter(Stage::Firing, pending);
        let firing_by = Deadline::after(pending, bound(record, |bounds| bounds.firing));
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
    let notified_by = Deadline::after(firing, bound(record, |bounds| bounds.notified));
    let notified = watch.until(record, notified_by, |_, record| watch::all_notified(record)).await;
    (!notified).then_some(Stage::Notified)
}

/// Waits for resolved and, when the receivers were notified, for told; gives the one that was missed.
async fn recovered(watch: &mut Watch<'_>, record: &mut Record, notified: bool) -> Option<Stage> {
    let lifted = record.instants.lifted.unwrap_or(record.started);
    let bound =
        |of: fn(&Bounds) -> std::time::Duration| patience(record.bounds.as_ref().map(of).unwrap_or_default());
    let (resolved_within, told_within) = (bound(|bounds| bounds.resolved), bound(|bounds| bounds.told));
    let resolved_by = Deadline::after(lifted, resolved_within);
    if !watch.until(record, resolved_by, |_, record| record.instants.resolved.is_some()).await {
        return Some(Stage::Resolved);
    }
    if !notified {
        return None;
    }
    let resolved = record.instants.resolved.unwrap_or(lifted);
    record.enter(Stage::Told, resolved);
    let told_by = Deadline::after(resolved, told_within);
    let told = watch.until(record, told_by, |_, record| watch::all_told(record)).await;
    (!told).then_some(Stage::Told)
}
