//! A latency distribution: statistics in seconds, and the complete histogram so that runs can be merged.

use crate::error::LoadError;
use crate::record::window::Latencies;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{DeserializeError, Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

/// Statistics of one latency in seconds; null when nothing was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Number of values.
    pub count: u64,
    /// Minimum.
    pub min: Option<f64>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// 50th percentile.
    pub p50: Option<f64>,
    /// 75th percentile.
    pub p75: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// 99.99th percentile.
    pub p9999: Option<f64>,
    /// Maximum.
    pub max: Option<f64>,
    /// The complete histogram in nanoseconds, as base64 of compressed HdrHistogram V2, so that runs merge without loss.
    pub hdr_v2_base64: String,
}

impl Distribution {
    /// The statistics of a histogram in nanoseconds.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let some = |nanos: f64| (!histogram.is_empty()).then_some(nanos.round() / 1e9);
        let at = |quantile| some(histogram.value_at_quantile(quantile) as f64);
        Self {
            count: histogram.len(),
            min: some(histogram.min() as f64),
            mean: some(histogram.mean()),
            p50: at(0.5),
            p75: at(0.75),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            p9999: at(0.9999),
            max: some(histogram.max() as f64),
            hdr_v2_base64: encode(histogram),
        }
    }

    /// The statistics of every latency of a run.
    #[must_use]
    pub fn of_each(latencies: &Latencies) -> Latencies<Self> {
        let [response, service, pacer_lag, connection_wait] = latencies.each().map(Self::of);
        Latencies { response, service, pacer_lag, connection_wait }
    }

    /// Decodes the histogram, in nanoseconds.
    ///
    /// # Errors
    /// When it is not base64 of an HdrHistogram.
    pub fn histogram(&self) -> Result<Histogram<u64>, LoadError> {
        let bytes = STANDARD
            .decode(&self.hdr_v2_base64)
            .map_err(|error| LoadError::Report(format!("invalid base64: {error}")))?;
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| match error {
            DeserializeError::IoError(_) => {
                LoadError::Report("invalid HdrHistogram V2: truncated or damaged".to_owned())
            }
            other => LoadError::Report(format!("invalid HdrHistogram V2: {other}")),
        })
    }
}

fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("writing to memory cannot fail, and the counts of one run fit");
    STANDARD.encode(bytes)
}
