//! Answers kept for their day, then deleted.

use super::{Writer, writes::Sweep};
use std::time::Duration;

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(60);

/// Sweeps now and then for as long as it is let.
pub(super) async fn run(writer: Writer) {
    loop {
        loop {
            match writer.submit(Sweep).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::debug!(cause = %error, "kept answers were not swept; they will be next time");
                    break;
                }
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}
