//! What is left of a run: totals, four histograms, a row a second. Its size does not depend on the rate, and hardly on
//! the duration.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::record::window::{Latencies, Window};
use crate::wire::error::Fault;

/// The most rows of a series: a day of seconds. Longer runs have longer steps.
pub const MAX_ROWS: usize = 86_400;

/// Where every scheduled arrival went.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, derive_more::Add, serde::Serialize, serde::Deserialize,
)]
pub struct Ledger {
    /// Arrivals whose due time came.
    pub scheduled: u64,
    /// Answers with an expected status.
    pub expected: u64,
    /// Answers with another status.
    pub unexpected: u64,
    /// Refused, reset, timed out, malformed and the like.
    pub transport_errors: u64,
    /// The generator's own fault: descriptors, ports, memory.
    pub local_errors: u64,
    /// Not sent because too many were in flight.
    pub shed: u64,
    /// In flight when the run was stopped.
    pub unfinished: u64,
}

impl Ledger {
    /// What became of arrivals.
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

    /// How many became something.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.parts().iter().map(|(_, count)| count).sum()
    }

    /// Whether every arrival is accounted for exactly once.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.scheduled == self.accounted()
    }
}

/// One step of the series, packed: latencies in microseconds, [`Row::NONE`] where nothing completed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// Seconds from the start.
    pub second: u32,
    /// Arrivals whose due time came.
    pub scheduled: u32,
    /// Requests sent.
    pub sent: u32,
    /// Expected answers.
    pub expected: u32,
    /// Other answers.
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
    /// Stands where there is no latency to tell.
    pub const NONE: u32 = u32::MAX;

    /// The row of a window.
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

    /// Microseconds of one of its latencies as seconds.
    #[must_use]
    pub fn seconds(micros: u32) -> Option<f64> {
        (micros != Self::NONE).then(|| f64::from(micros) / 1e6)
    }
}

/// A finished run, or one that was stopped.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// When it began.
    pub started: jiff::Timestamp,
    /// From the start to the last worker's end.
    pub elapsed: Duration,
    /// How much of the schedule was played.
    pub span: Duration,
    /// Where every arrival went.
    pub ledger: Ledger,
    /// Requests whose first byte was written.
    pub sent: u64,
    /// Until the last request's first byte was written.
    pub last_sent: Duration,
    /// Requests sent again because a kept connection had been closed by the server.
    pub retried: u64,
    /// Connections opened.
    pub connections: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Errors by kind.
    pub faults: BTreeMap<Fault, u64>,
    /// The four histograms.
    pub latencies: Latencies,
    /// The series.
    pub rows: Vec<Row>,
    /// Seconds each row stands for.
    pub step: u32,
    /// Threads that sent.
    pub workers: usize,
    /// Processor time of those threads.
    pub cpu: Duration,
    /// Workers that did not end as they should; with any, the record is not whole.
    pub broken: Vec<String>,
}

impl Record {
    /// Requests sent per second, over the schedule or until the last was sent, whichever is longer.
    #[must_use]
    pub fn achieved_rate(&self) -> f64 {
        let seconds = self.span.max(self.last_sent).as_secs_f64();
        if seconds > 0.0 { self.sent as f64 / seconds } else { 0.0 }
    }
}
