//! Whether a run may be believed, and how it went.

pub mod overload;
pub mod threshold;

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::format;
use crate::plan::{Limits, Plan};
use crate::record::Record;
use crate::report::model::{Held, Report};
use crate::verdict::threshold::{Share, Threshold};
use crate::wire::error::Fault;
use common::exit;

/// The part of response time p99 that pacer lag p99 may be before the headline is mostly our own noise.
const LAG_SHARE: f64 = 0.1;
/// Threads busier than this had no time to spare.
const BUSY: f64 = 0.9;

/// Why the generator itself, not the target, shaped the figures: a sentence each, with the way out; none when the run is
/// valid. Pacer lag p99 is too high when it is over `max_lag` seconds and over a tenth of response time p99.
#[must_use]
pub fn invalid_because(plan: &Plan, record: &Record, max_lag: f64) -> Vec<String> {
    judge(&plan.limits, record, max_lag)
}

fn judge(limits: &Limits, record: &Record, max_lag: f64) -> Vec<String> {
    let p99 = |histogram: &Histogram<u64>| histogram.value_at_quantile(0.99) as f64 / 1e9;
    let (lag, response) = (p99(&record.latencies.pacer_lag), p99(&record.latencies.response));
    let available = record.elapsed.max(Duration::from_millis(1)).as_secs_f64() * record.workers.max(1) as f64;
    // The part of the time that the threads were on a processor.
    let busy = record.cpu.as_secs_f64() / available;
    let mut causes = record.broken.clone();
    for (&fault, &count) in record.faults.iter().filter(|(fault, _)| fault.is_local()) {
        let way_out = match fault {
            Fault::Descriptors => "raise `ulimit -n` or lower -c",
            Fault::Ports => "keep connections alive, lower -q, or widen net.ipv4.ip_local_port_range",
            _ => "lower -c, or give the machine more memory",
        };
        let times = if count == 1 { "once".to_owned() } else { format!("{} times", format::count(count)) };
        causes.push(format!("the generator was {} {times}: {way_out}", fault.meaning()));
    }
    if record.ledger.shed > 0 {
        causes.push(format!(
            "{} of {} arrivals were not sent because {} requests were in flight already: the target does not keep up \
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
                "requests left up to {lag} late (pacer lag p99) because the generator's threads were {:.0} % busy: \
                 lower -q, or give it more processors",
                busy * 100.0
            )
        } else {
            format!(
                "requests left up to {lag} late (pacer lag p99) though the generator had time: other programs kept \
                 the processors from it; run it on a quieter machine, or allow more with --max-lag"
            )
        });
    }
    causes
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every answer was as expected.
    Fine,
    /// Unexpected answers or errors.
    Failed(String),
    /// Arrivals got lost in the generator.
    LedgerBroken(String),
    /// The generator could not keep up.
    Invalid,
    /// These thresholds were crossed.
    Threshold(String),
    /// Ended early by this signal.
    Interrupted(String),
}

impl Outcome {
    /// Of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let ledger = &report.ledger;
        if !ledger.adds_up() || !report.generator.broken.is_empty() {
            return Self::LedgerBroken(format!(
                "{} arrivals were scheduled, {} are accounted for; this is a fault of loadgen",
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
        let crossed: Vec<String> = report.thresholds.iter().filter(|held| !held.ok).map(told).collect();
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

/// What went wrong, but for what a threshold bounds: whoever says how much is too much says that less is not.
fn failures(report: &Report) -> Vec<String> {
    let ledger = &report.ledger;
    let tolerated: Vec<Share> = report
        .thresholds
        .iter()
        .filter_map(|held| held.threshold.parse::<Threshold>().ok()?.tolerates())
        .collect();
    let bad = [
        (ledger.unexpected, "unexpected answers", Share::Unexpected),
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
        failures.push("the deadline came before the end".to_owned());
    }
    failures
}

/// `p99<250ms (is 312ms)`
fn told(held: &Held) -> String {
    format!("{} (is {})", held.threshold, held.readable())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Ledger;

    /// Latencies in seconds, of which there is one each.
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
    fn each_cause_is_told_with_its_way_out() {
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
            (Record { broken: vec!["thread load-0 broke down".into()], ..fine() }, "load-0"),
        ] {
            let causes = judge(&limits, &record, 0.02);
            assert_eq!(causes.len(), 1, "{causes:?}");
            assert!(causes[0].contains(words), "{causes:?}");
        }
        let reset = Record { faults: [(Fault::Reset, 9)].into(), ..fine() };
        assert!(
            judge(&limits, &reset, 0.02).is_empty(),
            "the target's fault says nothing about the generator"
        );
    }

    #[test]
    fn lag_is_judged_beside_the_response_time() {
        let judged = |response| judge(&Limits::default(), &record(0.03, response, 0.1), 0.02);
        assert!(judged(0.5).is_empty(), "30 ms in half a second is no distortion");
        assert_eq!(judged(0.2).len(), 1);
    }
}
