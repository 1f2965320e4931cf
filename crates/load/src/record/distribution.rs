//! A histogram as figures in seconds, and whole, so that runs can be merged.

use crate::error::LoadError;
use crate::record::window::Latencies;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{DeserializeError, Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

/// One latency in seconds; null where nothing was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many.
    pub count: u64,
    /// The least.
    pub min: Option<f64>,
    /// The arithmetic mean.
    pub mean: Option<f64>,
    /// Half are at most this.
    pub p50: Option<f64>,
    /// 75 %.
    pub p75: Option<f64>,
    /// 90 %.
    pub p90: Option<f64>,
    /// 95 %.
    pub p95: Option<f64>,
    /// 99 %.
    pub p99: Option<f64>,
    /// 99.9 %.
    pub p999: Option<f64>,
    /// 99.99 %.
    pub p9999: Option<f64>,
    /// The most.
    pub max: Option<f64>,
    /// The whole histogram, in nanoseconds: HdrHistogram V2, compressed, base64; runs merge without loss.
    pub hdr_v2_base64: String,
}

impl Distribution {
    /// Of a histogram of nanoseconds.
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

    /// Of all that a run measured.
    #[must_use]
    pub fn of_each(latencies: &Latencies) -> Latencies<Self> {
        let [response, service, pacer_lag, connection_wait] = latencies.each().map(Self::of);
        Latencies { response, service, pacer_lag, connection_wait }
    }

    /// The histogram it was made from, in nanoseconds.
    ///
    /// # Errors
    /// When the text is not base64 or what it holds is not an HdrHistogram.
    pub fn histogram(&self) -> Result<Histogram<u64>, LoadError> {
        let bytes = STANDARD
            .decode(&self.hdr_v2_base64)
            .map_err(|error| LoadError::Report(format!("no base64: {error}")))?;
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| match error {
            DeserializeError::IoError(_) => {
                LoadError::Report("no HdrHistogram V2: cut off or damaged".to_owned())
            }
            other => LoadError::Report(format!("no HdrHistogram V2: {other}")),
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
