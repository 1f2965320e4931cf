//! Lifting the cause.

use jiff::Timestamp;

use crate::causes::GRACE;
use crate::causes::applied;
use crate::causes::traffic::Load;
use crate::context::Context;
use crate::record::event::Event;
use crate::run::cause::Applied;
use crate::timing::clock;
use load::engine::{self, Running};

/// The state after the cause was lifted.
#[derive(Debug)]
pub struct Lifted {
    /// When the lifting began; from then on the alert may resolve.
    pub began: Timestamp,
    /// When the cause was lifted.
    pub at: Timestamp,
    /// The baseline's traffic.
    pub running: Option<Running>,
}

/// Lifts the cause of a drill whose baseline began at `since`.
pub async fn lift(context: &Context<'_>, applied: Applied, since: Timestamp) -> Lifted {
    let Applied { caused, running, expectation, .. } = applied;
    let follows = expectation.quiet.is_none() && !context.drill.proves.stops;
    // Baseline traffic starts before the cause is lifted, so that the target is never idle.
    let running = if follows { running.or_else(|| go_on(context)) } else { running };
    let began = Timestamp::now();
    context.log.append(Event::Lifting(began));
    let seconds = clock::seconds(since, began);
    let mut generated = caused.lift().await;
    let running = match (&context.drill.baseline, running) {
        // Without traffic of the cause, the baseline is what a control keeps below the thresholds.
        (Some(load), Some(running)) if expectation.quiet.is_some() => {
            let sent = running.stop(GRACE).await;
            generated = Some(applied::Applied::new(load, &sent.ledger, &sent.statuses, seconds));
            None
        }
        (_, running) => running,
    };
    generated.into_iter().for_each(|generated| context.log.append(Event::Generated(generated)));
    undo(context).await;
    let at = Timestamp::now();
    context.log.append(Event::Lifted(at));
    Lifted { began, at, running }
}

/// Undoes what the cause did besides traffic.
pub async fn undo(context: &Context<'_>) {
    for broken in context.undo_list.broke_off() {
        context.log.note(Timestamp::now(), broken.message.clone());
        context.log.append(Event::BrokeOff(broken));
    }
    context.log.not_undone(context.undo_list.undo_all().await);
}

/// Restarts the baseline's traffic if the cause replaced it.
fn go_on(context: &Context<'_>) -> Option<Running> {
    match engine::start_endless(context.target(), context.drill.baseline.as_ref()?) {
        Ok(running) => {
            context.log.append(Event::Traffic(Load::Baseline, running.series()));
            Some(running)
        }
        Err(error) => {
            context.log.note(Timestamp::now(), format!("cannot restart the baseline traffic: {error}"));
            None
        }
    }
}
