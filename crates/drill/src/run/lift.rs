//! Lifting the cause.

use jiff::Timestamp;

use crate::causes::traffic::Load;
use crate::context::Context;
use crate::file::drill::Drill;
use crate::record::Record;
use load::engine::{self, Running};

/// Undoes what the cause did beside traffic.
pub async fn lift(context: &Context<'_>, record: &mut Record) {
    for broken in context.undoing.broke_off() {
        record.event(Timestamp::now(), broken.said.clone());
        record.broke_off.push(broken);
    }
    let failed = context.undoing.undo_all().await;
    record.not_undone(failed);
}

/// Starts the baseline's traffic again where the cause had taken its place, so that the target is not idle.
pub fn go_on(context: &Context<'_>, drill: &Drill, record: &mut Record, running: &mut Option<Running>) {
    let Some(load) = drill.baseline.as_ref().filter(|_| running.is_none()) else { return };
    match engine::start_endless(context.target(), load) {
        Ok(started) => {
            record.traffic.follow(Load::Baseline, &started);
            *running = Some(started);
        }
        Err(error) => record.event(Timestamp::now(), format!("baseline traffic could not go on: {error}")),
    }
}
