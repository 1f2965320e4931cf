//! Deletes expired data: responses under an `Idempotency-Key`, and readings; and the oldest of too many
//! orders.

use super::{
    orders::writes::{MAX_ORDERS, TrimOrders},
    writer::{Write, Writer},
    writes::{ForgetReadings, Sweep},
};
use std::time::Duration;

/// Pause between two sweeps.
const EVERY: Duration = Duration::from_secs(60);

/// Sweeps periodically until it is aborted. Readings are kept for `readings`, or forever if `None`.
pub(super) async fn run(writer: Writer, readings: Option<Duration>) {
    loop {
        clear(&writer, "responses", || Sweep).await;
        clear(&writer, "orders", || TrimOrders { most: MAX_ORDERS }).await;
        if let Some(kept) = readings {
            clear(&writer, "readings", || ForgetReadings { kept }).await;
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Deletes in portions, each in a group with the writes of clients, until nothing is left.
async fn clear<W: Write<Done = bool> + Sync>(writer: &Writer, what: &str, some: impl Fn() -> W) {
    loop {
        match writer.submit(some()).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::debug!(error = %error, what, "deleting old rows failed, retrying at the next sweep");
                return;
            }
        }
    }
}
