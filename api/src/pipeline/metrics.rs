//! The pipeline's metrics, all of them there from the start.

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

/// Milliseconds; the limits that people are warned at, 15 and 200, are bounds of buckets.
const HRV_BUCKETS: &[f64] =
    &[5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 150.0, 200.0, 250.0, 300.0, 500.0];

/// The label of every stream there is not.
const UNKNOWN: &str = "unknown";

/// What became of a reading.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    /// Committed.
    Accepted,
    /// Not valid.
    Rejected,
    /// Valid, but there was no room or no database; the client was told 503.
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
        /// Readings, by stream and by what became of them.
        records: IntCounterVec = "pipeline_records_total" ["stream", "outcome"];
        /// When a reading of the stream was last committed, in seconds since 1970; 0 before the first.
        last_success: GaugeVec = "pipeline_last_success_timestamp_seconds" ["stream"];
        /// Heart rate variability (RMSSD) of committed readings.
        hrv: Histogram = "pipeline_hrv_rmssd_ms" [] in HRV_BUCKETS;
    }
}

impl PipelineMetrics {
    /// Brings every series about: a counter born at 5 has no increase.
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

    /// Counts readings that were committed just now.
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

/// The queue's two gauges, read at the moment of the scrape.
pub(super) struct QueueMetrics {
    writer: Writer,
    depth: IntGauge,
    oldest: Gauge,
}

impl QueueMetrics {
    pub(super) fn of(writer: Writer) -> prometheus::Result<Self> {
        let depth = IntGauge::new("pipeline_queue_depth", "Readings waiting to be committed.")?;
        let oldest = Gauge::new(
            "pipeline_queue_oldest_age_seconds",
            "How long the oldest of them has waited; 0 when none waits.",
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
