//! The course of two kinds of drill that follow no alert from pending to resolved: the heartbeat that stops, and the
//! negative control in which nothing fires.

use crate::evidence::notifications::last_id;
use crate::run::heartbeat::beating;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::causes::applied::Applied;
use crate::causes::traffic::Load;
use crate::causes::{self, GRACE};
use crate::context::Context;
use crate::evidence::naming::Naming;
use crate::file::channel::Channel;
use crate::file::drill::Drill;
use crate::observe::delivery::{self, Wanted};
use crate::observe::near;
use crate::observe::unexpected;
use crate::record::Record;
use crate::record::stage::End;
use crate::record::stage::Stage;
use crate::run::baseline;
use crate::run::lift::lift;
use crate::run::preflight;
use crate::run::quiet;
use crate::timing::bounds::{Bounds, DELIVERY, patience};
use crate::timing::clock::{self, Deadline};
use clients::prometheus::Labels;

const POLL: Duration = Duration::from_millis(500);

/// The heartbeat: the cause stops it, the inbox says so within its limit; lifted, it comes back.
///
/// # Errors
/// Why the drill is refused.
pub async fn stops(context: &Context<'_>, drill: &Drill, record: &mut Record) -> Result<End, String> {
    let (subject, _) = preflight::rule(context, drill, record).await?;
    preflight::causes_possible(context, drill).await?;
    let beats = context.systems.heartbeat().await?;
    let limit = Duration::try_from_secs_f64(beats.limit_seconds).map_err(|error| error.to_string())?;
    beating(context, record, limit).await?;
    record.expected = vec![Channel::Heartbeat];
    // Alertmanager takes the alert as resolved, and sends no more beats, once Prometheus has not sent it again for
    // four times the resend delay; the inbox notices after its limit.
    let resend = context.systems.prometheus.resend_delay().await.map_err(|error| error.to_string())?;
    let bound = resend.max(subject.evaluation) * 4 + limit + DELIVERY;
    let zero = Duration::ZERO;
    record.bounds =
        Some(Bounds { pending: zero, firing: zero, notified: bound, resolved: zero, told: bound });
    let mut read = last_id(&context.systems.arrived(0).await.map_err(|error| error.to_string())?);
    record.instants.baseline = Some(Timestamp::now());

    let cause_at = Timestamp::now();
    record.instants.cause = Some(cause_at);
    record.enter(Stage::Notified, cause_at);
    context.progress.show(record);
    let caused =
        causes::apply(context.undoing, &record.drill.clone(), &drill.cause, patience(bound) * 2, zero)
            .await?;
    let mut caused = Some(caused);
    let labels = Labels::from([("alertname".to_owned(), subject.alert.clone())]);
    let naming = Naming::default(); // of the heartbeat no text tells
    let told_of = |record: &Record, status: Stage, since: Timestamp| {
        let wanted = Wanted { labels: &labels, fingerprint: None, firing: since, naming: &naming };
        match status {
            Stage::Notified => delivery::notified(&record.notifications, Channel::Heartbeat, &wanted, since),
            _ => delivery::told(&record.notifications, Channel::Heartbeat, &wanted, since, since)
                .map(|(at, _)| at),
        }
    };
    let mut missed = None;
    for stage in [Stage::Notified, Stage::Told] {
        let since = if stage == Stage::Told {
            if let Some(caused) = caused.take() {
                record.applied = caused.lift().await;
            }
            lift(context, record).await;
            let lifted = Timestamp::now();
            record.instants.lifted = Some(lifted);
            record.enter(Stage::Told, lifted);
            lifted
        } else {
            cause_at
        };
        let deadline = Deadline::after(since, patience(bound));
        loop {
            let passed = deadline.passed();
            if let Some(arrived) = record.gaps.note("inbox", context.systems.arrived(read).await) {
                read = arrived.last().map_or(read, |last| last.id);
                record.notifications.extend(arrived);
            }
            context.progress.show(record);
            if let Some(at) = told_of(record, stage, since) {
                let of = if stage == Stage::Told {
                    &mut record.instants.told
                } else {
                    &mut record.instants.notified
                };
                of.insert(Channel::Heartbeat, at);
                break;
            }
            if passed {
                missed = missed.or(Some(stage));
                break;
            }
            sleep(POLL).await;
        }
    }
    Ok(missed.map_or(End::Whole, End::Missed))
}

/// The negative control: the cause goes on for `length`, and nothing may fire or arrive.
///
/// # Errors
/// Why the drill is refused.
pub async fn nothing(
    context: &Context<'_>,
    drill: &Drill,
    length: Duration,
    record: &mut Record,
) -> Result<End, String> {
    preflight::systems(context, record).await?;
    preflight::causes_possible(context, drill).await?;
    quiet::all_settled(context, record).await?;
    record.expected.clear();
    let mut read = last_id(&context.systems.arrived(0).await.map_err(|error| error.to_string())?);
    let since = Timestamp::now();
    let mut running = baseline::paced(context, drill, record).await?;
    let cause_at = Timestamp::now();
    record.instants.cause = Some(cause_at);
    record.enter(Stage::Quiet, cause_at);
    record.quiet = Some(length);
    let caused = causes::apply(
        context.undoing,
        &record.drill.clone(),
        &drill.cause,
        length + Duration::from_secs(60),
        Duration::from_secs(2),
    )
    .await?;
    caused.traffic().into_iter().for_each(|running| record.traffic.follow(Load::Cause, running));
    if causes::replaces_baseline(&drill.cause)
        && let Some(running) = running.take()
    {
        running.stop(GRACE).await;
    }
    let deadline = Deadline::after(cause_at, length);
    while !deadline.passed() {
        if let Some(arrived) = record.gaps.note("inbox", context.systems.arrived(read).await) {
            read = arrived.last().map_or(read, |last| last.id);
            record.notifications.extend(arrived);
        }
        context.progress.show(record);
        sleep(POLL).await;
    }
    let near = near::reached(context, drill, cause_at, record).await;
    let seconds = record.instants.baseline.map_or(0.0, |at| clock::seconds(at, Timestamp::now()));
    let own = drill.baseline.as_ref().zip(running.take());
    record.applied = caused.lift().await;
    if let Some((load, running)) = own {
        // Without traffic of the cause's own, the baseline is what the control holds under the thresholds.
        let sent = running.stop(GRACE).await;
        record.applied = Some(Applied::new(load, &sent.ledger, &sent.statuses, seconds));
    }
    lift(context, record).await;
    record.instants.lifted = Some(Timestamp::now());
    unexpected::collect(context, drill, None, since, record).await;
    if let Err(reason) = near {
        return Ok(End::Unseen(format!("how near it came to the thresholds could not be asked: {reason}")));
    }
    let blind = record.gaps.blind.get("every ALERTS").or_else(|| record.gaps.blind.get("inbox"));
    Ok(match blind {
        Some(gap) => End::Unseen(format!("whether anything fired could not be seen: {gap}")),
        None => End::Whole,
    })
}
