//! The report of a run: what `--out` writes, and all that the summary needs. Units are in the names.
//!
//! The format is described in `loadgen/schema/run-1.schema.json`; a change that breaks readers raises its number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::Ledger;
use crate::record::distribution::Distribution;
use crate::record::window::Latencies;
use crate::report::alerts::AlertSpan;
use crate::report::point::Point;
use crate::verdict::threshold::Threshold;
use std::time::Duration;

/// What a record does not know about its run.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// The name of the built-in pattern or of the scenario, if it was one.
    pub pattern: Option<String>,
    /// What was asked for, in words.
    pub planned: String,
    /// The signal that ended it early.
    pub interrupted_by: Option<String>,
    /// What else ended it early.
    pub ended_early_by: Option<String>,
    /// Pacer lag p99 up to which the run is valid in any case, in seconds.
    pub max_lag_seconds: f64,
    /// What was sent beforehand.
    pub warmup: Option<(Duration, Ledger)>,
    /// What to hold it against.
    pub thresholds: Vec<Threshold>,
    /// What a Prometheus told.
    pub alerts: Vec<AlertSpan>,
}

/// The version of the format.
pub const SCHEMA_VERSION: u32 = 1;

/// A run as reported.
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
    /// From then to the last answer.
    pub elapsed_seconds: f64,
    /// How many runs it holds: 1, or those that were merged.
    pub runs: u32,
    /// Where the load came from.
    pub host: Host,
    /// Of Poisson arrivals and of random values in requests; null when there are neither.
    pub seed: Option<u64>,
    /// Scheme, host and port; with a single request its path too.
    pub target: String,
    /// The name of the built-in pattern or of the scenario, if it was one.
    pub pattern: Option<String>,
    /// What was asked for, in words: `50/s for 30s`.
    pub planned: String,
    /// `open`: on a schedule; `closed`: each connection waits for its answer.
    pub r#loop: Loop,
    /// The mix.
    pub requests: Vec<Mixed>,
    /// The bounds of the run.
    pub settings: Settings,
    /// Requests per second that were planned, over the part of the schedule that was played; null in a closed loop.
    pub target_rate: Option<f64>,
    /// Requests per second that were sent.
    pub achieved_rate: f64,
    /// Requests sent.
    pub sent: u64,
    /// False when the generator itself could not keep up: the figures then say nothing about the target.
    pub valid: bool,
    /// Why not, a sentence each.
    pub invalid_because: Vec<String>,
    /// The signal that ended the run early, if one did.
    pub interrupted_by: Option<String>,
    /// `deadline` or `threshold`, when that ended the run early.
    pub ended_early_by: Option<String>,
    /// What the run was held against.
    pub thresholds: Vec<Held>,
    /// How it showed that the target does not keep up with the rate; none when it does.
    pub overload: Option<String>,
    /// What was sent beforehand and is in no figure.
    pub warmup: Option<WarmUp>,
    /// Where every arrival went.
    pub ledger: Ledger,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Errors by kind; the kinds are a closed set.
    pub errors: BTreeMap<String, u64>,
    /// Why the first certificate that was not accepted was not; null when all were.
    #[serde(default)]
    pub certificate_refused: Option<String>,
    /// The four latencies. Time-outs are in them at their limit, unfinished requests (response time
    /// only) at what they had waited; other errors have none.
    pub latency_seconds: Latencies<Distribution>,
    /// Seconds each point of the series stands for.
    pub series_step_seconds: u32,
    /// The run by time.
    pub series: Vec<Point>,
    /// Alerts that were pending or firing meanwhile; empty unless a Prometheus was asked.
    pub alerts: Vec<AlertSpan>,
    /// What it cost.
    pub generator: Generator,
}

/// The machine that sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its operating system.
    pub os: String,
    /// Its architecture.
    pub architecture: String,
    /// Processors the generator may use.
    pub processors: usize,
}

/// Who waits for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// Nobody: the schedule stands.
    Open,
    /// Each connection for its answer.
    Closed,
}

/// A threshold and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// As it was written: `p99<250ms`.
    pub threshold: String,
    /// The figure; null when there was nothing to tell it from.
    pub value: Option<f64>,
    /// Of the figure: `seconds`, `ratio` or `per_second`.
    pub unit: String,
    /// Whether it was kept.
    pub ok: bool,
}

impl Held {
    /// The figure for people; nothing where the threshold is none of this version's.
    #[must_use]
    pub fn readable(&self) -> String {
        self.threshold.parse::<Threshold>().map(|it| it.readable(self.value)).unwrap_or_default()
    }
}

/// What was sent before the run.
#[derive(Debug, Clone, PartialEq, derive_more::Add, Serialize, Deserialize)]
pub struct WarmUp {
    /// For how long.
    pub seconds: f64,
    /// Where its arrivals went.
    pub ledger: Ledger,
}

/// One request of the mix.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mixed {
    /// Its share, relative to the others'.
    pub weight: u32,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// What counts as expected: `200-399`, `500`.
    pub expected_statuses: String,
}

/// The bounds of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The most connections.
    pub connections: usize,
    /// The most requests in flight.
    pub max_in_flight: usize,
    /// From due to complete.
    pub timeout_seconds: f64,
    /// Whether connections are used again.
    pub keep_alive: bool,
}

/// What the run cost its own machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Threads that sent.
    pub threads: usize,
    /// Their processor time.
    pub cpu_seconds: f64,
    /// Connections opened.
    pub connections_opened: u64,
    /// Requests sent again because the server had closed a kept connection.
    pub retried: u64,
    /// Workers that broke down.
    pub broken: Vec<String>,
}
