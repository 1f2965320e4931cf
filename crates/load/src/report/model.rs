//! The report of a run, as written by `--out`. Field names include the unit.
//!
//! The format is described in `loadgen/schema/run-1.schema.json`. Incompatible changes need a new schema version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::Ledger;
use crate::record::distribution::Distribution;
use crate::record::window::Latencies;
use crate::report::alerts::AlertSpan;
use crate::report::point::Point;
use crate::verdict::threshold::Threshold;
use std::time::Duration;

/// Facts about a run that are not part of its record.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Name of the built-in pattern or scenario, if any.
    pub pattern: Option<String>,
    /// The planned load in words.
    pub planned: String,
    /// The signal that ended the run early.
    pub interrupted_by: Option<String>,
    /// `deadline` or `threshold`, if that ended the run early.
    pub ended_early_by: Option<String>,
    /// Pacer lag p99 that is always accepted, in seconds.
    pub max_lag_seconds: f64,
    /// The warm-up's duration and outcomes.
    pub warmup: Option<(Duration, Ledger)>,
    /// Thresholds to evaluate.
    pub thresholds: Vec<Threshold>,
    /// Alerts from Prometheus.
    pub alerts: Vec<AlertSpan>,
}

/// Version of the format.
pub const SCHEMA_VERSION: u32 = 1;

/// The report of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Always `loadgen-run`.
    pub schema: String,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of loadgen that made it.
    pub loadgen_version: String,
    /// When the first arrival was due.
    pub started_at: jiff::Timestamp,
    /// Seconds from then to the last response.
    pub elapsed_seconds: f64,
    /// Number of merged runs; 1 for a single run.
    pub runs: u32,
    /// The machine that sent the load.
    pub host: Host,
    /// Seed for Poisson arrivals and generated values; null when neither is used.
    pub seed: Option<u64>,
    /// Scheme, host and port; with a single request also its path.
    pub target: String,
    /// Name of the built-in pattern or scenario, if any.
    pub pattern: Option<String>,
    /// The planned load in words: `50/s for 30s`.
    pub planned: String,
    /// `open`: on a schedule; `closed`: each connection waits for its response.
    pub r#loop: Loop,
    /// The request mix.
    pub requests: Vec<Mixed>,
    /// The limits of the run.
    pub settings: Settings,
    /// Planned requests per second over the part of the schedule that ran; null in a closed loop.
    pub target_rate: Option<f64>,
    /// Requests sent per second.
    pub achieved_rate: f64,
    /// Requests sent.
    pub sent: u64,
    /// False when the generator could not keep up, so that the measurements do not describe the target.
    pub valid: bool,
    /// Why the run is invalid, one sentence each.
    pub invalid_because: Vec<String>,
    /// The signal that ended the run early, if any.
    pub interrupted_by: Option<String>,
    /// `deadline` or `threshold`, if that ended the run early.
    pub ended_early_by: Option<String>,
    /// Thresholds and their results.
    pub thresholds: Vec<ThresholdResult>,
    /// How the target fell behind the rate; null when it kept up.
    pub overload: Option<String>,
    /// The warm-up, which is not included in any other field.
    pub warmup: Option<WarmUp>,
    /// Arrivals by outcome.
    pub ledger: Ledger,
    /// Responses by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Errors by kind.
    pub errors: BTreeMap<String, u64>,
    /// Why the first rejected certificate was rejected; null when none was.
    #[serde(default)]
    pub certificate_refused: Option<String>,
    /// The four latencies. Timeouts are included at the timeout and unfinished requests (response time only) with the
    /// time waited so far. Other errors are not included.
    pub latency_seconds: Latencies<Distribution>,
    /// Seconds per point of the series.
    pub series_step_seconds: u32,
    /// The run over time.
    pub series: Vec<Point>,
    /// Alerts that were pending or firing during the run; empty without `--alerts-from`.
    pub alerts: Vec<AlertSpan>,
    /// The generator's resource usage.
    pub generator: Generator,
}

/// The machine that sent the load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Host name.
    pub name: String,
    /// Operating system.
    pub os: String,
    /// CPU architecture.
    pub architecture: String,
    /// Processors available to the generator.
    pub processors: usize,
}

/// Whether requests follow a schedule or wait for responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// Requests follow a schedule.
    Open,
    /// Each connection waits for its response.
    Closed,
}

/// A threshold and its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdResult {
    /// The threshold as written: `p99<250ms`.
    pub threshold: String,
    /// The measured value; null when nothing was measured.
    pub value: Option<f64>,
    /// Unit of the value: `seconds`, `ratio` or `per_second`.
    pub unit: String,
    /// Whether the threshold was met.
    pub ok: bool,
}

impl ThresholdResult {
    /// The value in human-readable form; empty when this version cannot parse the threshold.
    #[must_use]
    pub fn readable(&self) -> String {
        self.threshold.parse::<Threshold>().map(|it| it.readable(self.value)).unwrap_or_default()
    }
}

/// Requests sent before the run.
#[derive(Debug, Clone, PartialEq, derive_more::Add, Serialize, Deserialize)]
pub struct WarmUp {
    /// Duration in seconds.
    pub seconds: f64,
    /// Its arrivals by outcome.
    pub ledger: Ledger,
}

/// A request of the mix.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mixed {
    /// Relative share.
    pub weight: u32,
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Expected statuses: `200-399`, `500`.
    pub expected_statuses: String,
}

/// The limits of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Maximum number of connections.
    pub connections: usize,
    /// Maximum number of requests in flight.
    pub max_in_flight: usize,
    /// Seconds from due to complete.
    pub timeout_seconds: f64,
    /// Whether connections are reused.
    pub keep_alive: bool,
}

/// Resource usage of the generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Number of sending threads.
    pub threads: usize,
    /// Their CPU time in seconds.
    pub cpu_seconds: f64,
    /// Number of connections opened.
    pub connections_opened: u64,
    /// Requests retried because the server had closed a kept-alive connection.
    pub retried: u64,
    /// Threads that panicked.
    pub broken: Vec<String>,
}
