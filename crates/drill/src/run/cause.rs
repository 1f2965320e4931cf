//! Applying the cause.

use std::time::Duration;

use jiff::Timestamp;

use crate::causes::traffic::Load;
use crate::causes::{self, Caused, GRACE};
use crate::context::Context;
use crate::record::event::Event;
use crate::record::expectation::Expectation;
use crate::record::stage::{End, Stage};
use crate::timing::bounds::patience;
use crate::timing::clock;
use load::engine::Running;

/// How much longer a fault lasts than the drill waits.
const OUTLAST: Duration = Duration::from_secs(30);

/// A cause in effect.
#[derive(Debug)]
pub struct Applied {
    /// The handle with which the cause is lifted.
    pub caused: Caused,
    /// The baseline's traffic, unless the cause replaced it.
    pub running: Option<Running>,
    /// When the cause began.
    pub at: Timestamp,
    /// What is expected, after the commands of the cause.
    pub expectation: Expectation,
}

/// Applies the cause.
///
/// # Errors
/// How the drill ends when the cause cannot be applied.
pub async fn cause(
    context: &Context<'_>,
    expectation: Expectation,
    mut running: Option<Running>,
) -> Result<Applied, End> {
    let at = Timestamp::now();
    context.log.append(Event::Cause(at));
    // How long the parts that expire must last, and how long a restarted service is left running.
    let (stage, ttl, settle) = match (expectation.quiet, expectation.bounds) {
        (Some(length), _) => (Stage::Quiet, length + Duration::from_secs(60), Duration::from_secs(2)),
        (None, Some(bounds)) if context.drill.proves.stops => {
            (Stage::Notified, patience(bounds.notified) * 2, Duration::ZERO)
        }
        (None, bounds) => {
            let ttl = bounds.map_or(OUTLAST, |bounds| {
                patience(bounds.pending) + patience(bounds.firing) + patience(bounds.notified) + OUTLAST
            });
            (Stage::Pending, ttl, expectation.scrape().mul_f64(2.5))
        }
    };
    context.enter(stage, at);
    let caused =
        causes::apply(context.undo_list, &context.drill.drill.value, &context.drill.cause, ttl, settle)
            .await
            .map_err(|error| {
                if stage == Stage::Pending {
                    End::NotObserved(format!("the cause was not applied: {error}"))
                } else {
                    error.into()
                }
            })?;
    if let Some(running) = caused.traffic().filter(|_| !context.drill.proves.stops) {
        context.log.append(Event::Traffic(Load::Cause, running.series()));
    }
    let ordered = Duration::from_secs_f64(clock::seconds(at, Timestamp::now()).max(0.0));
    let expectation = if stage == Stage::Pending { expectation.ordered(ordered) } else { expectation };
    context.log.append(Event::Expected(Box::new(expectation.clone())));
    if causes::replaces_baseline(&context.drill.cause)
        && let Some(running) = running.take()
    {
        running.stop(GRACE).await;
    }
    Ok(Applied { caused, running, at, expectation })
}
