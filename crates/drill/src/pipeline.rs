//! The phases of a drill from preflight to its end, for all three kinds: an alert, a heartbeat that stops, and a
//! negative control.

use crate::causes::GRACE;
use crate::context::Context;
use crate::record::event::Event;
use crate::record::stage::End;
use crate::run::{baseline, cause, lift, observe, preflight};

/// Runs the phases and records what happens and how the drill ends. The future may be dropped at any point: its guards
/// stop the load, the log stays, and [`crate::causes::undo_list::UndoList::undo_all`] undoes the rest.
pub async fn run(context: &Context<'_>) {
    let end = match context.undo_list.make_sound().await {
        Err(left) => left.into(),
        Ok(()) => {
            let end = phases(context).await.unwrap_or_else(|end| end);
            if context.log.case().not_undone.is_empty() {
                lift::undo(context).await; // does nothing unless a phase ended early
            }
            end
        }
    };
    context.log.append(Event::Ended(end));
}

async fn phases(context: &Context<'_>) -> Result<End, End> {
    context.progress.show(&context.log.case());
    let expectation = preflight::preflight(context).await?;
    let steady = baseline::baseline(context, &expectation).await?;
    let began = steady.watch.began;
    let applied = cause::cause(context, expectation, steady.running).await?;
    let cause = applied.at;
    let observed = observe::observe(context, steady.watch, &applied).await;
    let lifted = lift::lift(context, applied, began).await;
    let end = observe::recovery(context, observed, cause, &lifted).await;
    if let Some(running) = lifted.running {
        running.stop(GRACE).await;
    }
    Ok(end)
}
