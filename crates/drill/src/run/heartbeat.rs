//! The heartbeat, as the inbox hears it.

use std::time::Duration;

use crate::context::{Context, wait};
use crate::record::Record;
use crate::timing::clock::Deadline;

/// Waits until the inbox hears the heartbeat.
///
/// # Errors
/// What it hears instead, after its limit.
pub async fn beating(context: &Context<'_>, record: &mut Record, limit: Duration) -> Result<(), String> {
    let deadline = Deadline::within(limit + Duration::from_secs(5));
    loop {
        let beats = context.systems.heartbeat().await?;
        if beats.state == "beating" {
            return Ok(());
        }
        if deadline.passed() {
            return Err(format!(
                "the inbox's heartbeat is {}: does a route lead it to /heartbeat?",
                beats.state
            ));
        }
        wait(context, record, "the heartbeat").await;
    }
}
