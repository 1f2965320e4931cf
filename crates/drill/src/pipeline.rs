//! A drill from its preflight to its verdict, for all three kinds: of an alert, of a heartbeat that stops, and the
//! negative control.

use crate::causes::GRACE;
use crate::context::Context;
use crate::record::event::Event;
use crate::record::stage::End;
use crate::run::{baseline, cause, lift, observe, preflight};

/// Goes through the phases and writes down what happens and how it ends. May be dropped at any point: load is stopped by
/// its guards, the log stays, and the rest is left for [`crate::causes::undo_list::UndoList::undo_all`].
pub async fn run(context: &Context<'_>) {
    let end = match context.undoing.make_sound().await {
        Err(left) => left.into(),
        Ok(()) => {
            let end = phases(context).await.unwrap_or_else(|end| end);
            if context.log.case().not_undone.is_empty() {
                lift::undo(context).await; // nothing is left to undo, unless a phase broke off
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
    let end = observe::recovery(context, observed, cause, lifted.at).await;
    if let Some(running) = lifted.running {
        running.stop(GRACE).await;
    }
    Ok(end)
}
