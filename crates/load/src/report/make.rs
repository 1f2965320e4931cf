//! Creates the report from a plan and its record.

use crate::error::LoadError;

use crate::plan::Plan;
use crate::plan::request::Request;
use crate::record::Record;
use crate::record::distribution::Distribution;
use crate::record::window::Latencies;
use crate::report::model::{
    Generator, Host, Labels, Loop, Mixed, Report, SCHEMA_VERSION, Settings, ThresholdResult, WarmUp,
};
use crate::report::point::{Point, rounded};
use crate::schedule::arrivals::Spacing;
use crate::schedule::pace::Pace;
use crate::spec::request::RequestSpec;
use crate::verdict::threshold::{Measured, Threshold};
use crate::verdict::{self, overload};
use clients::address::without_secrets;

impl Report {
    /// Creates the report of a run.
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
            target: format!("{}{}", plan.target.origin(), without_secrets(path)),
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
            thresholds: evaluate(&labels.thresholds, &measured),
            overload: overload::overload(plan, record),
            warmup: labels.warmup.map(|(time, ledger)| WarmUp { seconds: time.as_secs_f64(), ledger }),
            ledger: record.ledger,
            statuses: record.statuses.clone(),
            errors: record.faults.iter().map(|(fault, count)| (fault.name().to_owned(), *count)).collect(),
            certificate_refused: plan.target.tls.as_ref().and_then(|tls| tls.refusal()).map(str::to_owned),
            latency_seconds: Distribution::of_each(&record.latencies),
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

fn evaluate(thresholds: &[Threshold], measured: &Measured<'_>) -> Vec<ThresholdResult> {
    let results = thresholds.iter().map(|threshold| {
        let value = threshold.value(measured);
        ThresholdResult {
            threshold: threshold.text.clone(),
            value: value.map(rounded_nano),
            unit: threshold.unit().to_owned(),
            ok: threshold.holds(value),
        }
    });
    results.collect()
}

fn rounded_nano(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

impl Report {
    /// Evaluates thresholds and replaces the report's own results.
    ///
    /// # Errors
    /// When its histograms cannot be read.
    pub fn evaluate_thresholds(&mut self, thresholds: &[Threshold]) -> Result<(), LoadError> {
        let given = self.latency_seconds.each();
        let latencies = Latencies::make(|index| given[index].histogram())?;
        let measured = Measured { latencies: &latencies, ledger: &self.ledger, rate: self.achieved_rate };
        self.thresholds = evaluate(thresholds, &measured);
        Ok(())
    }
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
    fn of(spec: &RequestSpec) -> Self {
        Self {
            weight: spec.weight,
            method: spec.method.name().to_owned(),
            path: without_secrets(&spec.path),
            expected_statuses: spec.expect.to_string(),
        }
    }
}
