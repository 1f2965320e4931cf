//! Writes readings to the database: each is checked, queued in a bounded queue, committed in a group and counted.

mod batch;
mod metrics;

pub use batch::{Batch, MAX_READINGS, Rejection, check, device_fault, unknown_stream};

use crate::store::{Once, Reading, Sent, Store, StoreError, StoredResponse, Writer};
use metrics::{Outcome, PipelineMetrics, QueueMetrics};
use prometheus::Registry;
use std::collections::HashMap;

/// The pipeline.
#[derive(Clone)]
pub struct Pipeline {
    writer: Writer,
    metrics: PipelineMetrics,
}

impl Pipeline {
    /// Starts the pipeline on a store, with a queue of `queue` readings and its metrics in `registry`.
    ///
    /// # Errors
    /// When a metric is registered twice.
    pub(crate) fn start(store: &Store, queue: usize, registry: &Registry) -> prometheus::Result<Self> {
        let metrics = PipelineMetrics::register(registry)?;
        metrics.start_at_zero();
        let writer = store.readings_writer(queue);
        registry.register(Box::new(QueueMetrics::of(writer.clone())?))?;
        Ok(Self { writer, metrics })
    }

    /// Queues readings and waits for their commit. Of several for one device, stream and second the last one is kept,
    /// within a batch and between batches.
    ///
    /// # Errors
    /// [`StoreError::Full`] at once when the queue is full; the errors of the database.
    pub(crate) async fn submit(
        &self,
        readings: Vec<Reading>,
        once: Option<(Once, StoredResponse)>,
    ) -> Result<Sent<()>, StoreError> {
        let counted = readings.clone();
        let sent = Store::put_readings(&self.writer, last_of_each(readings), once).await;
        match &sent {
            Ok(Sent::First(())) => self.metrics.committed(&counted),
            Ok(_) => {}
            Err(_) => {
                counted.iter().for_each(|reading| self.metrics.count(Some(reading.stream), Outcome::Refused))
            }
        }
        sent
    }

    /// Counts invalid readings.
    pub(crate) fn note_rejected(&self, rejected: &[Rejection]) {
        for rejection in rejected {
            self.metrics.count(rejection.stream, Outcome::Rejected);
        }
    }

    /// While paused nothing is committed: the queue fills up, then clients get 503. A shutdown ends the pause.
    pub fn pause(&self, paused: bool) {
        self.writer.pause(paused);
    }

    /// Why writes of readings fail now; `None` when the last ones were committed.
    pub(crate) fn write_failure(&self) -> Option<StoreError> {
        self.writer.failure()
    }

    /// Commits the queue and accepts nothing more.
    pub(crate) async fn close(&self) {
        self.writer.close().await;
    }
}

/// Keeps the last reading of each device, stream and second, and sorts the result: writers that lock rows in the same
/// order cannot deadlock.
fn last_of_each(readings: Vec<Reading>) -> Vec<Reading> {
    let mut last = HashMap::with_capacity(readings.len());
    for (index, reading) in readings.iter().enumerate() {
        last.insert(reading.key(), index);
    }
    let mut keep: Vec<usize> = last.into_values().collect();
    keep.sort_by(|a, b| readings[*a].key().cmp(&readings[*b].key()));
    keep.into_iter().map(|index| readings[index].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Stream;

    #[test]
    fn keeps_the_last_of_each_in_order() {
        let reading = |device: &str, timestamp, value| Reading {
            device: device.to_owned(),
            stream: Stream::Spo2,
            timestamp,
            value,
        };
        let readings =
            vec![reading("b", 1, 90.0), reading("a", 2, 91.0), reading("b", 1, 92.0), reading("a", 1, 93.0)];
        let kept = last_of_each(readings);
        assert_eq!(kept, [reading("a", 1, 93.0), reading("a", 2, 91.0), reading("b", 1, 92.0)]);
    }
}
