//! The heartbeat limit of the inbox.

use std::time::Duration;

use crate::context::Context;
use crate::error::DrillError;
use crate::timing::clock::Deadline;

/// The time after which the inbox reports the heartbeat missing; waits until the inbox receives it.
///
/// # Errors
/// The heartbeat state of the inbox, if it is not beating after that time.
pub async fn limit(context: &Context<'_>) -> Result<Duration, DrillError> {
    let beats = context.systems.heartbeat().await?;
    let limit = Duration::try_from_secs_f64(beats.limit_seconds)
        .map_err(|error| DrillError::System(error.to_string()))?;
    let deadline = Deadline::within(limit + Duration::from_secs(5));
    loop {
        let beats = context.systems.heartbeat().await?;
        if beats.state == "beating" {
            return Ok(limit);
        }
        if deadline.passed() {
            return Err(DrillError::Stack(format!(
                "the inbox's heartbeat is {}: check that a route sends an alert that always fires to /heartbeat",
                beats.state
            )));
        }
        context.wait("the heartbeat").await;
    }
}
