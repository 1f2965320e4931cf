//! The metrics of the pipeline. All series exist from the start.

use crate::{
    store::{Reading, Stream, Writer},
    telemetry::metrics,
};
use prometheus::{
    Gauge, GaugeVec, Histogram, IntCounterVec, IntGauge,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds; the thresholds of AbnormalHRV, 15 and 200, are bucket bounds.
const HRV_BUCKETS: &[f64] =
    &[5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 150.0, 200.0, 250.0, 300.0, 500.0];

/// The label value of unknown streams.
const UNKNOWN: &str = "unknown";

/// The outcome of a reading.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    /// Committed.
    Accepted,
    /// Invalid.
    Rejected,
    /// Valid, but the queue was full or the database unavailable; the client got 503.
    Refused,
}

impl Outcome {
    fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
        }
    }
}

metrics! {
    pub(super) struct PipelineMetrics {
        /// Readings by stream and outcome.
        records: IntCounterVec = "pipeline_records_total" ["stream", "outcome"];
        /// Time of the last committed reading by stream, in seconds since 1970; 0 before the first.
        last_success: GaugeVec = "pipeline_last_success_timestamp_seconds" ["stream"];
        /// Heart rate variability (RMSSD) of committed readings in milliseconds.
        hrv: Histogram = "pipeline_hrv_rmssd_ms" [] in HRV_BUCKETS;
    }
}

impl PipelineMetrics {
    /// Creates every series at zero: a counter that starts at 5 has no increase.
    pub(super) fn start_at_zero(&self) {
        for stream in Stream::ALL {
            self.last_success.with_label_values(&[stream.name()]);
            for outcome in [Outcome::Accepted, Outcome::Rejected, Outcome::Refused] {
                self.records.with_label_values(&[stream.name(), outcome.label()]);
            }
        }
        self.records.with_label_values(&[UNKNOWN, Outcome::Rejected.label()]);
    }

    pub(super) fn count(&self, stream: Option<Stream>, outcome: Outcome) {
        let stream = stream.map_or(UNKNOWN, Stream::name);
        self.records.with_label_values(&[stream, outcome.label()]).inc();
    }

    /// Counts readings that have just been committed.
    pub(super) fn committed(&self, readings: &[Reading]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        for reading in readings {
            self.count(Some(reading.stream), Outcome::Accepted);
            self.last_success.with_label_values(&[reading.stream.name()]).set(now);
            if reading.stream == Stream::HrvRmssd {
                self.hrv.observe(reading.value);
            }
        }
    }
}

/// The two gauges of the queue, read at scrape time.
pub(super) struct QueueMetrics {
    writer: Writer,
    depth: IntGauge,
    oldest: Gauge,
}

impl QueueMetrics {
    pub(super) fn of(writer: Writer) -> prometheus::Result<Self> {
        let depth = IntGauge::new("pipeline_queue_depth", "Readings waiting for a commit.")?;
        let oldest = Gauge::new(
            "pipeline_queue_oldest_age_seconds",
            "Age of the oldest waiting reading in seconds; 0 when none waits.",
        )?;
        Ok(Self { writer, depth, oldest })
    }
}

impl Collector for QueueMetrics {
    fn desc(&self) -> Vec<&Desc> {
        [self.depth.desc(), self.oldest.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.depth.set(self.writer.depth() as i64);
        self.oldest.set(self.writer.oldest_age().as_secs_f64());
        [self.depth.collect(), self.oldest.collect()].concat()
    }
}
