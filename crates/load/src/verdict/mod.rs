//! The verdict on a run: whether it is valid, and its outcome.

pub mod overload;
pub mod threshold;

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::format;
use crate::plan::{Limits, Plan};
use crate::record::Record;
use crate::report::model::{Report, ThresholdResult};
use crate::verdict::threshold::{Share, Threshold};
use crate::wire::error::Fault;
use common::exit;

/// Maximum pacer lag p99 as a share of response time p99. Above it the generator distorts the measurement.
const LAG_SHARE: f64 = 0.1;
/// Utilization above which the threads count as saturated.
const BUSY: f64 = 0.9;

/// Why the run is invalid because of the generator itself: one sentence each, with a remedy; empty when the run is
/// valid. Pacer lag p99 is too high when it exceeds `max_lag` seconds and a tenth of response time p99.
#[must_use]
pub fn invalid_because(plan: &Plan, record: &Record, max_lag: f64) -> Vec<String> {
    judge(&plan.limits, record, max_lag)
}

fn judge(limits: &Limits, record: &Record, max_lag: f64) -> Vec<String> {
    let p99 = |histogram: &Histogram<u64>| histogram.value_at_quantile(0.99) as f64 / 1e9;
    let (lag, response) = (p99(&record.latencies.pacer_lag), p99(&record.latencies.response));
    let available = record.elapsed.max(Duration::from_millis(1)).as_secs_f64() * record.workers.max(1) as f64;
    // The share of the time that the threads were running.
    let busy = record.cpu.as_secs_f64() / available;
    let mut causes = record.broken.clone();
    for (&fault, &count) in record.faults.iter().filter(|(fault, _)| fault.is_local()) {
        let remedy = match fault {
            Fault::Descriptors => "raise `ulimit -n` or lower -c",
            Fault::Ports => "keep connections alive, lower -q, or widen net.ipv4.ip_local_port_range",
            _ => "lower -c or add memory",
        };
        let times = if count == 1 { "once".to_owned() } else { format!("{} times", format::count(count)) };
        causes.push(format!("the generator was {} {times}: {remedy}", fault.meaning()));
    }
    if record.ledger.shed > 0 {
        causes.push(format!(
            "{} of {} arrivals were not sent because {} requests were already in flight: the target does not keep up \
             with the rate; lower -q or raise --max-in-flight",
            format::count(record.ledger.shed),
            format::count(record.ledger.scheduled),
            format::count(limits.max_in_flight as u64),
        ));
    }
    if lag > max_lag.max(response * LAG_SHARE) {
        let lag = format::latency(Some(lag));
        causes.push(if busy > BUSY {
            format!(
                "requests were sent up to {lag} late (pacer lag p99) because the generator's threads were {:.0} % busy: \
                 lower -q or add processors",
                busy * 100.0
            )
        } else {
            format!(
                "requests were sent up to {lag} late (pacer lag p99) although the generator was not busy: other programs used \
                 the processors; run it on a quieter machine or raise --max-lag"
            )
        });
    }
    causes
}

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every response was as expected.
    Fine,
    /// Unexpected responses or errors.
    Failed(String),
    /// The request counts do not add up.
    LedgerBroken(String),
    /// The generator could not keep up.
    Invalid,
    /// The thresholds that were crossed.
    Threshold(String),
    /// The signal that ended the run early.
    Interrupted(String),
}

impl Outcome {
    /// The outcome of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let ledger = &report.ledger;
        if !ledger.adds_up() || !report.generator.broken.is_empty() {
            return Self::LedgerBroken(format!(
                "{} arrivals were scheduled, but {} are accounted for; this is a bug in loadgen",
                format::count(ledger.scheduled),
                format::count(ledger.accounted())
            ));
        }
        if let Some(signal) = &report.interrupted_by {
            return Self::Interrupted(signal.clone());
        }
        if !report.valid {
            return Self::Invalid;
        }
        let crossed: Vec<String> =
            report.thresholds.iter().filter(|result| !result.ok).map(describe).collect();
        if !crossed.is_empty() {
            return Self::Threshold(crossed.join(", "));
        }
        match failures(report) {
            bad if bad.is_empty() => Self::Fine,
            bad => Self::Failed(bad.join(", ")),
        }
    }

    /// The exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Fine => exit::FINE,
            Self::Failed(_) | Self::LedgerBroken(_) => exit::FAILED,
            Self::Invalid => exit::INVALID,
            Self::Threshold(_) => exit::THRESHOLD,
            Self::Interrupted(signal) => exit::interrupted_by(signal),
        }
    }
}

/// The failures, except those that a threshold bounds: the threshold defines how many are acceptable.
fn failures(report: &Report) -> Vec<String> {
    let ledger = &report.ledger;
    let tolerated: Vec<Share> = report
        .thresholds
        .iter()
        .filter_map(|result| result.threshold.parse::<Threshold>().ok()?.tolerates())
        .collect();
    let bad = [
        (ledger.unexpected, "unexpected responses", Share::Unexpected),
        (ledger.transport_errors, "errors", Share::Errors),
        (ledger.unfinished, "unfinished requests", Share::Failed),
    ];
    let mut failures: Vec<String> = bad
        .into_iter()
        .filter(|(number, _, share)| {
            *number > 0 && !tolerated.contains(share) && !tolerated.contains(&Share::Failed)
        })
        .map(|(number, what, _)| {
            format!("{} {what} ({})", format::count(number), format::share(number, ledger.scheduled))
        })
        .collect();
    failures.extend(report.overload.clone());
    if report.ended_early_by.as_deref() == Some("deadline") {
        failures.push("ended early by --deadline".to_owned());
    }
    failures
}

/// `p99<250ms (is 312ms)`
fn describe(result: &ThresholdResult) -> String {
    format!("{} (is {})", result.threshold, result.readable())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Ledger;

    /// A record with one value per latency, in seconds.
    fn record(lag: f64, response: f64, busy: f64) -> Record {
        let second = Duration::from_secs(1);
        let mut record =
            Record { elapsed: second, workers: 1, cpu: second.mul_f64(busy), ..Record::default() };
        record.latencies.pacer_lag.saturating_record((lag * 1e9) as u64);
        record.latencies.response.saturating_record((response * 1e9) as u64);
        record
    }

    fn fine() -> Record {
        record(0.000_1, 0.002, 0.1)
    }

    #[test]
    fn each_cause_is_reported_with_its_remedy() {
        let limits = Limits::default();
        assert!(judge(&limits, &fine(), 0.02).is_empty());
        let shed = Record { ledger: Ledger { scheduled: 5_000, shed: 1_200, ..Ledger::default() }, ..fine() };
        for (record, words) in [
            (
                Record { faults: [(Fault::Descriptors, 7)].into(), ..fine() },
                "out of file descriptors 7 times: raise `ulimit",
            ),
            (
                Record { faults: [(Fault::Ports, 1)].into(), ..fine() },
                "out of local ports once: keep connections",
            ),
            (shed, "1,200 of 5,000 arrivals were not sent because 10,000 requests"),
            (record(0.03, 0.002, 0.99), "99 % busy"),
            (record(0.03, 0.002, 0.1), "other programs"),
            (Record { broken: vec!["thread load-0 panicked".into()], ..fine() }, "load-0"),
        ] {
            let causes = judge(&limits, &record, 0.02);
            assert_eq!(causes.len(), 1, "{causes:?}");
            assert!(causes[0].contains(words), "{causes:?}");
        }
        let reset = Record { faults: [(Fault::Reset, 9)].into(), ..fine() };
        assert!(
            judge(&limits, &reset, 0.02).is_empty(),
            "a fault of the target does not make the run invalid"
        );
    }

    #[test]
    fn lag_is_compared_with_the_response_time() {
        let judged = |response| judge(&Limits::default(), &record(0.03, response, 0.1), 0.02);
        assert!(judged(0.5).is_empty(), "30 ms in half a second is tolerated");
        assert_eq!(judged(0.2).len(), 1);
    }
}
