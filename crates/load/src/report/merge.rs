//! Merges several runs into one report: from several machines, or one after the other.

use crate::error::LoadError;
use std::collections::BTreeMap;

use itertools::Itertools;

use crate::record::Ledger;
use crate::record::distribution::Distribution;
use crate::record::window::{self, Latencies, NAMES};
use crate::report::alerts::AlertSpan;
use crate::report::comparable;
use crate::report::model::{Generator, Host, Loop, Report, Settings};
use crate::report::point::Point;

/// Why reports cannot be merged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MergeError {
    /// There are no reports.
    #[error("no reports to merge")]
    None,
    /// A histogram is invalid.
    #[error("histogram of {name} in run {run}: {reason}")]
    Histogram {
        /// In the order in which they started, from 1.
        run: usize,
        /// Name of the latency.
        name: &'static str,
        /// Why the histogram is invalid.
        reason: String,
    },
    /// A threshold of a run is invalid.
    #[error("thresholds of the runs: {reason}; set them with --threshold")]
    Threshold {
        /// Why the threshold is invalid.
        reason: LoadError,
    },
}

/// Merges reports. Histograms are merged bucket by bucket without loss. The series uses the clock of the earliest run.
/// Where runs overlap, each latency of the series is the maximum of theirs, as percentiles cannot be added. The
/// thresholds of all runs are evaluated against the merged report.
///
/// # Errors
/// See [`MergeError`].
pub fn merge(mut reports: Vec<Report>) -> Result<Report, MergeError> {
    reports.sort_by_key(|report| report.started_at);
    let first = reports.first().ok_or(MergeError::None)?.clone();
    if reports.len() == 1 {
        return Ok(first);
    }
    let all = || reports.iter();
    let planned_for = |report: &Report| match report.target_rate {
        Some(rate) if rate > 0.0 => report.ledger.scheduled as f64 / rate,
        _ => report.elapsed_seconds,
    };
    let sent_for = |report: &Report| {
        if report.achieved_rate > 0.0 {
            report.sent as f64 / report.achieved_rate
        } else {
            report.elapsed_seconds
        }
    };
    let open: Option<f64> = all().map(|report| Some(report.target_rate? * planned_for(report))).sum();
    let sent = all().map(|report| report.sent).sum();
    let causes = all().enumerate().flat_map(|(index, report)| {
        report.invalid_because.iter().map(move |cause| format!("run {}: {cause}", index + 1))
    });
    let mut merged = Report {
        elapsed_seconds: all()
            .map(|report| offset(&first, report) + report.elapsed_seconds)
            .fold(0.0, f64::max),
        runs: all().fold(0, |runs, report| runs.saturating_add(report.runs)),
        host: hosts(&reports),
        seed: same(all().map(|report| report.seed)),
        target: distinct(all().map(|report| report.target.as_str()), ", "),
        pattern: same(all().map(|report| report.pattern.clone())),
        planned: distinct(all().map(|report| report.planned.as_str()), " + "),
        r#loop: if all().all(|report| report.r#loop == Loop::Open) { Loop::Open } else { Loop::Closed },
        requests: all().flat_map(|report| &report.requests).unique().cloned().collect(),
        settings: Settings {
            connections: all().map(|report| report.settings.connections).sum(),
            max_in_flight: all().map(|report| report.settings.max_in_flight).sum(),
            timeout_seconds: all().map(|report| report.settings.timeout_seconds).fold(0.0, f64::max),
            keep_alive: all().all(|report| report.settings.keep_alive),
        },
        target_rate: open.map(|planned| planned / busy(&reports, &first, planned_for)),
        achieved_rate: sent as f64 / busy(&reports, &first, sent_for),
        sent,
        valid: all().all(|report| report.valid),
        invalid_because: causes.collect(),
        interrupted_by: all().find_map(|report| report.interrupted_by.clone()),
        ended_early_by: all().find_map(|report| report.ended_early_by.clone()),
        thresholds: Vec::new(), // evaluated below
        overload: all().find_map(|report| report.overload.clone()),
        warmup: all().filter_map(|report| report.warmup.clone()).reduce(|sum, warmup| sum + warmup),
        ledger: all().map(|report| report.ledger).fold(Ledger::default(), |sum, ledger| sum + ledger),
        statuses: sums(all().map(|report| &report.statuses)),
        errors: sums(all().map(|report| &report.errors)),
        certificate_refused: all().find_map(|report| report.certificate_refused.clone()),
        latency_seconds: latencies(&reports)?,
        series_step_seconds: step(&reports),
        series: series(&reports, &first),
        alerts: alerts(&reports, &first),
        generator: Generator {
            threads: all().map(|report| report.generator.threads).sum(),
            cpu_seconds: all().map(|report| report.generator.cpu_seconds).sum(),
            connections_opened: all().map(|report| report.generator.connections_opened).sum(),
            retried: all().map(|report| report.generator.retried).sum(),
            broken: all().flat_map(|report| report.generator.broken.clone()).collect(),
        },
        ..first.clone()
    };
    let bad = |reason| MergeError::Threshold { reason };
    merged.evaluate_thresholds(&comparable::thresholds(&reports).map_err(bad)?).map_err(bad)?;
    Ok(merged)
}

/// Seconds from the start of the first run to the start of another.
fn offset(first: &Report, report: &Report) -> f64 {
    report.started_at.duration_since(first.started_at).as_secs_f64()
}

/// Seconds in which at least one of the runs was active.
fn busy(reports: &[Report], first: &Report, length: impl Fn(&Report) -> f64) -> f64 {
    let mut until = 0.0;
    let mut sum = 0.0;
    // Reports are sorted by start time.
    for report in reports {
        let start = offset(first, report);
        let end = start + length(report);
        sum += (end - start.max(until)).max(0.0);
        until = end.max(until);
    }
    sum.max(1e-9)
}

fn same<T: PartialEq>(mut values: impl Iterator<Item = Option<T>>) -> Option<T> {
    values.all_equal_value().ok().flatten()
}

fn distinct<'a>(values: impl Iterator<Item = &'a str>, between: &str) -> String {
    values.unique().join(between)
}

fn hosts(reports: &[Report]) -> Host {
    let hosts = || reports.iter().map(|report| &report.host);
    let mut processors: BTreeMap<&str, usize> = BTreeMap::new();
    hosts().for_each(|host| {
        processors.insert(&host.name, host.processors);
    });
    Host {
        name: distinct(hosts().map(|host| host.name.as_str()), ", "),
        os: distinct(hosts().map(|host| host.os.as_str()), ", "),
        architecture: distinct(hosts().map(|host| host.architecture.as_str()), ", "),
        processors: processors.values().sum(),
    }
}

fn sums<'a, K: Ord + Clone + 'a>(maps: impl Iterator<Item = &'a BTreeMap<K, u64>>) -> BTreeMap<K, u64> {
    let mut sums = BTreeMap::new();
    for (key, count) in maps.flatten() {
        *sums.entry(key.clone()).or_insert(0) += count;
    }
    sums
}

fn latencies(reports: &[Report]) -> Result<Latencies<Distribution>, MergeError> {
    Latencies::make(|index| {
        let mut sum = window::histogram();
        for (run, report) in reports.iter().enumerate() {
            let bad = |reason: String| MergeError::Histogram { run: run + 1, name: NAMES[index].1, reason };
            let of = report.latency_seconds.each()[index];
            let histogram = of.histogram().map_err(|error| bad(error.to_string()))?;
            sum.add(histogram).map_err(|error| bad(error.to_string()))?;
        }
        Ok(Distribution::of(&sum))
    })
}

fn step(reports: &[Report]) -> u32 {
    reports.iter().map(|report| report.series_step_seconds).max().unwrap_or(1).max(1)
}

fn series(reports: &[Report], first: &Report) -> Vec<Point> {
    let step = step(reports);
    let mut series: BTreeMap<u32, Point> = BTreeMap::new();
    for report in reports {
        let shift = offset(first, report).round() as u32;
        let part = f64::from(report.series_step_seconds.max(1)) / f64::from(step);
        for point in &report.series {
            let at_seconds = shift.saturating_add(point.at_seconds) / step * step;
            let point = Point {
                at_seconds,
                planned_rate: point.planned_rate.map(|rate| rate * part),
                ..point.clone()
            };
            series.entry(at_seconds).and_modify(|it| it.join(&point)).or_insert(point);
        }
    }
    series.into_values().collect()
}

fn alerts(reports: &[Report], first: &Report) -> Vec<AlertSpan> {
    let shifted = reports.iter().flat_map(|report| {
        let shift = offset(first, report);
        report.alerts.iter().map(move |alert| AlertSpan {
            from_seconds: alert.from_seconds + shift,
            to_seconds: alert.to_seconds + shift,
            ..alert.clone()
        })
    });
    shifted.sorted_by(|a, b| a.from_seconds.total_cmp(&b.from_seconds)).collect()
}

impl Point {
    /// Adds the same step of another run.
    fn join(&mut self, other: &Self) {
        for (count, more) in [
            (&mut self.scheduled, other.scheduled),
            (&mut self.sent, other.sent),
            (&mut self.expected, other.expected),
            (&mut self.unexpected, other.unexpected),
            (&mut self.errors, other.errors),
            (&mut self.shed, other.shed),
        ] {
            *count = count.saturating_add(more);
        }
        self.planned_rate = match (self.planned_rate, other.planned_rate) {
            (Some(rate), Some(more)) => Some(rate + more),
            (rate, more) => rate.or(more),
        };
        for (worst, also) in [
            (&mut self.response_p50_seconds, other.response_p50_seconds),
            (&mut self.response_p95_seconds, other.response_p95_seconds),
            (&mut self.response_p99_seconds, other.response_p99_seconds),
            (&mut self.service_p50_seconds, other.service_p50_seconds),
            (&mut self.service_p99_seconds, other.service_p99_seconds),
            (&mut self.pacer_lag_p99_seconds, other.pacer_lag_p99_seconds),
        ] {
            *worst = [*worst, also].into_iter().flatten().reduce(f64::max);
        }
    }
}
