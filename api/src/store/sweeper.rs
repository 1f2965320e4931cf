//! What has been kept long enough is deleted: answers under an `Idempotency-Key`, readings.

use super::{
    writer::{Write, Writer},
    writes::{ForgetReadings, Sweep},
};
use std::time::Duration;

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(60);

/// Sweeps now and then for as long as it is let. Readings are kept for `readings`, or for ever without it.
pub(super) async fn run(writer: Writer, readings: Option<Duration>) {
    loop {
        clear(&writer, "answers", || Sweep).await;
        if let Some(kept) = readings {
            clear(&writer, "readings", || ForgetReadings { kept }).await;
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Some at a time, each time in a group with the writes of clients, until nothing is left.
async fn clear<W: Write<Done = bool> + Sync>(writer: &Writer, what: &str, some: impl Fn() -> W) {
    loop {
        match writer.submit(some()).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::debug!(cause = %error, what, "not swept; it will be next time");
                return;
            }
        }
    }
}
