//! A drill from its preflight to its verdict, for all three kinds: of an alert, of a heartbeat that stops, and the
//! negative control.

use crate::causes::GRACE;
use crate::context::Context;
use crate::file::drill::Drill;
use crate::record::event::Event;
use crate::record::log::Log;
use crate::record::stage::End;
use crate::run::{baseline, cause, lift, observe, preflight};

/// Goes through the phases and writes down what happens and how it ends. May be dropped at any point: load is stopped by
/// its guards, the log stays, and the rest is left for [`crate::causes::undo_list::Undoing::undo_all`].
pub async fn run(context: &Context<'_>, drill: &Drill, log: &Log) {
    let end = match context.undoing.make_sound().await {
        Err(left) => left.into(),
        Ok(()) => {
            let end = phases(context, drill, log).await.unwrap_or_else(|end| end);
            if log.case().not_undone.is_empty() {
                lift::undo(context, log).await; // nothing is left to undo, unless a phase broke off
            }
            end
        }
    };
    log.append(Event::Ended(end));
}

async fn phases(context: &Context<'_>, drill: &Drill, log: &Log) -> Result<End, End> {
    context.progress.show(&log.case());
    let expectation = preflight::preflight(context, drill, log).await?;
    let steady = baseline::baseline(context, drill, &expectation, log).await?;
    let began = steady.watch.began;
    let applied = cause::cause(context, drill, expectation, steady.running, log).await?;
    let cause = applied.at;
    let observed = observe::observe(context, drill, steady.watch, &applied, log).await;
    let lifted = lift::lift(context, drill, applied, began, log).await;
    let end = observe::recovery(context, drill, observed, cause, lifted.at, log).await;
    if let Some(running) = lifted.running {
        running.stop(GRACE).await;
    }
    Ok(end)
}
