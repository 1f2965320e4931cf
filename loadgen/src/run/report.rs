//! The report of a run: what `--out` writes, and all that the summary needs. Units are in the names.
//!
//! The format is described in `loadgen/schema/run-1.schema.json`; a change that breaks readers raises its number.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alerts::AlertSpan;
use super::arrivals::Spacing;
use super::distribution::Distribution;
use super::pace::Pace;
use super::plan::Plan;
use super::point::Point;
use super::record::{Ledger, Record};
use super::request::Request;
use super::threshold::{Measured, Threshold};
use super::verdict;
use super::window::Latencies;

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
    /// The four latencies. Time-outs are in them at their limit; other errors have none.
    pub latency_seconds: Latency,
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

/// What was sent before the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarmUp {
    /// For how long.
    pub seconds: f64,
    /// Where its arrivals went.
    pub ledger: Ledger,
}

/// One request of the mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// The four latencies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Complete − due: the headline.
    pub response: Distribution,
    /// Complete − first byte written.
    pub service: Distribution,
    /// Dispatched − due: the generator's own fault.
    pub pacer_lag: Distribution,
    /// First byte written − dispatched.
    pub connection_wait: Distribution,
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

impl Report {
    /// Reports a record of a plan.
    #[must_use]
    pub fn new(plan: &Plan, record: &Record, labels: Labels) -> Self {
        let invalid_because = verdict::invalid_because(plan, record, labels.max_lag_seconds);
        let single = plan.requests.len() == 1 && labels.pattern.is_none();
        let path = plan.requests.first().filter(|_| single).map_or("", |request| request.spec.path.as_str());
        let Record { latencies, ledger, .. } = record;
        let measured = Measured { latencies, ledger, rate: record.achieved_rate() };
        let made = plan.requests.iter().any(Request::is_made).then_some(plan.seed);
        let (r#loop, seed) = match &plan.pace {
            Pace::Open { spacing: Spacing::Poisson { seed }, .. } => (Loop::Open, Some(*seed)),
            Pace::Open { .. } => (Loop::Open, made),
            Pace::Closed { .. } => (Loop::Closed, made),
        };
        Self {
            schema: "loadgen-run".to_owned(),
            schema_version: SCHEMA_VERSION,
            loadgen_version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: record.started,
            elapsed_seconds: record.elapsed.as_secs_f64(),
            runs: 1,
            host: Host::this(),
            seed,
            target: format!("{}{path}", plan.target.origin()),
            pattern: labels.pattern,
            planned: labels.planned,
            r#loop,
            requests: plan.requests.iter().map(|request| Mixed::of(&request.spec)).collect(),
            settings: Settings {
                connections: plan.limits.connections,
                max_in_flight: plan.limits.max_in_flight,
                timeout_seconds: plan.limits.timeout.as_secs_f64(),
                keep_alive: plan.limits.keep_alive,
            },
            target_rate: plan.pace.target_rate(record.span).map(rounded),
            achieved_rate: rounded(record.achieved_rate()),
            sent: record.sent,
            valid: invalid_because.is_empty(),
            invalid_because,
            interrupted_by: labels.interrupted_by,
            ended_early_by: labels.ended_early_by,
            thresholds: held(&labels.thresholds, &measured),
            overload: verdict::overload(plan, record),
            warmup: labels.warmup.map(|(time, ledger)| WarmUp { seconds: time.as_secs_f64(), ledger }),
            ledger: record.ledger,
            statuses: record.statuses.clone(),
            errors: record.faults.iter().map(|(fault, count)| (fault.name().to_owned(), *count)).collect(),
            latency_seconds: Latency {
                response: Distribution::of(&record.latencies.response),
                service: Distribution::of(&record.latencies.service),
                pacer_lag: Distribution::of(&record.latencies.pacer_lag),
                connection_wait: Distribution::of(&record.latencies.connection_wait),
            },
            series_step_seconds: record.step,
            series: record.rows.iter().map(|row| Point::of(row, &plan.pace, record.step)).collect(),
            alerts: labels.alerts,
            generator: Generator {
                threads: record.workers,
                cpu_seconds: record.cpu.as_secs_f64(),
                connections_opened: record.connections,
                retried: record.retried,
                broken: record.broken.clone(),
            },
        }
    }
}

fn held(thresholds: &[Threshold], measured: &Measured<'_>) -> Vec<Held> {
    let held = thresholds.iter().map(|threshold| {
        let value = threshold.value(measured);
        Held {
            threshold: threshold.text.clone(),
            value: value.map(rounded_nano),
            unit: threshold.unit().to_owned(),
            ok: threshold.holds(value),
        }
    });
    held.collect()
}

fn rounded_nano(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

impl Report {
    /// Holds it against thresholds, in place of those it was held against.
    ///
    /// # Errors
    /// When its histograms cannot be read.
    pub fn hold(&mut self, thresholds: &[Threshold]) -> Result<(), String> {
        let latency = &self.latency_seconds;
        let latencies = Latencies {
            response: latency.response.histogram()?,
            service: latency.service.histogram()?,
            pacer_lag: latency.pacer_lag.histogram()?,
            connection_wait: latency.connection_wait.histogram()?,
        };
        let measured = Measured { latencies: &latencies, ledger: &self.ledger, rate: self.achieved_rate };
        self.thresholds = held(thresholds, &measured);
        Ok(())
    }
}

/// To a millionth: more digits say nothing, and these come back from JSON exactly.
pub(super) fn rounded(rate: f64) -> f64 {
    (rate * 1e6).round() / 1e6
}

impl Host {
    fn this() -> Self {
        Self {
            name: nix::unistd::gethostname()
                .map_or_else(|_| String::new(), |name| name.to_string_lossy().into_owned()),
            os: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        }
    }
}

impl Mixed {
    fn of(spec: &super::spec::RequestSpec) -> Self {
        Self {
            weight: spec.weight,
            method: spec.method.name().to_owned(),
            path: spec.path.clone(),
            expected_statuses: spec.expect.to_string(),
        }
    }
}
