//! The record of a run: totals, four histograms and one row per second. Its size does not depend on the rate, and its
//! number of rows is limited.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::record::window::{Latencies, Window};
use crate::wire::error::Fault;

/// Maximum number of rows in a series, one day of seconds. Longer runs have longer steps.
pub const MAX_ROWS: usize = 86_400;

/// Scheduled arrivals by outcome.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, derive_more::Add, serde::Serialize, serde::Deserialize,
)]
pub struct Ledger {
    /// Arrivals that were due.
    pub scheduled: u64,
    /// Responses with an expected status.
    pub expected: u64,
    /// Responses with an unexpected status.
    pub unexpected: u64,
    /// Transport errors: refused, reset, timed out, malformed and others.
    pub transport_errors: u64,
    /// Errors of the generator itself, such as no free descriptors, ports or memory.
    pub local_errors: u64,
    /// Not sent because too many were in flight.
    pub shed: u64,
    /// In flight when the run was stopped.
    pub unfinished: u64,
}

impl Ledger {
    /// The outcomes with their names.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, u64); 6] {
        [
            ("expected", self.expected),
            ("unexpected", self.unexpected),
            ("transport errors", self.transport_errors),
            ("local errors", self.local_errors),
            ("shed", self.shed),
            ("unfinished", self.unfinished),
        ]
    }

    /// The sum of all outcomes.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.parts().iter().map(|(_, count)| count).sum()
    }

    /// Whether every arrival has exactly one outcome.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.scheduled == self.accounted()
    }
}

/// One step of the series. Latencies are in microseconds, or [`Row::NONE`] when nothing completed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// Seconds from the start.
    pub second: u32,
    /// Arrivals that were due.
    pub scheduled: u32,
    /// Requests sent.
    pub sent: u32,
    /// Expected responses.
    pub expected: u32,
    /// Unexpected responses.
    pub unexpected: u32,
    /// Transport and local errors.
    pub errors: u32,
    /// Arrivals shed.
    pub shed: u32,
    /// Response time p50, µs.
    pub response_p50: u32,
    /// Response time p95, µs.
    pub response_p95: u32,
    /// Response time p99, µs.
    pub response_p99: u32,
    /// Service time p50, µs.
    pub service_p50: u32,
    /// Service time p99, µs.
    pub service_p99: u32,
    /// Pacer lag p99, µs.
    pub pacer_lag_p99: u32,
}

impl Row {
    /// Marks a missing latency.
    pub const NONE: u32 = u32::MAX;

    /// Converts a window.
    #[must_use]
    pub fn of(window: &Window) -> Self {
        let at = |histogram: &Histogram<u64>, quantile: f64| {
            if histogram.is_empty() {
                return Self::NONE;
            }
            u32::try_from(histogram.value_at_quantile(quantile) / 1_000).unwrap_or(Self::NONE - 1)
        };
        let Latencies { response, service, pacer_lag, .. } = &window.latencies;
        Self {
            second: window.second,
            scheduled: window.scheduled,
            sent: window.sent,
            expected: window.expected,
            unexpected: window.unexpected,
            errors: window.errors,
            shed: window.shed,
            response_p50: at(response, 0.5),
            response_p95: at(response, 0.95),
            response_p99: at(response, 0.99),
            service_p50: at(service, 0.5),
            service_p99: at(service, 0.99),
            pacer_lag_p99: at(pacer_lag, 0.99),
        }
    }

    /// Converts a latency from microseconds to seconds.
    #[must_use]
    pub fn seconds(micros: u32) -> Option<f64> {
        (micros != Self::NONE).then(|| f64::from(micros) / 1e6)
    }
}

/// The record of a finished or stopped run.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Start time.
    pub started: jiff::Timestamp,
    /// Time from the start to the end of the last worker.
    pub elapsed: Duration,
    /// Part of the schedule that ran.
    pub span: Duration,
    /// Arrivals by outcome.
    pub ledger: Ledger,
    /// Requests whose first byte was written.
    pub sent: u64,
    /// Time from the start to the last request's first byte.
    pub last_sent: Duration,
    /// Requests retried because the server had closed a kept-alive connection.
    pub retried: u64,
    /// Connections opened.
    pub connections: u64,
    /// Responses by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Errors by kind.
    pub faults: BTreeMap<Fault, u64>,
    /// The four histograms.
    pub latencies: Latencies,
    /// The series.
    pub rows: Vec<Row>,
    /// Seconds per row.
    pub step: u32,
    /// Number of sending threads.
    pub workers: usize,
    /// CPU time of these threads.
    pub cpu: Duration,
    /// Threads that panicked. If there are any, the record is incomplete.
    pub broken: Vec<String>,
}

impl Record {
    /// Requests sent per second, over the schedule or the time to the last request, whichever is longer.
    #[must_use]
    pub fn achieved_rate(&self) -> f64 {
        let seconds = self.span.max(self.last_sent).as_secs_f64();
        if seconds > 0.0 { self.sent as f64 / seconds } else { 0.0 }
    }
}
