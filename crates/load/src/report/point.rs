//! The series of a report.

use serde::{Deserialize, Serialize};

use crate::record::Row;
use crate::schedule::pace::Pace;

/// One step of the series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Start of the step, in seconds from the start of the run.
    pub at_seconds: u32,
    /// Planned requests per second; null in a closed loop.
    pub planned_rate: Option<f64>,
    /// Arrivals due.
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
    /// Response time p50 of the requests completed.
    pub response_p50_seconds: Option<f64>,
    /// Response time p95.
    pub response_p95_seconds: Option<f64>,
    /// Response time p99.
    pub response_p99_seconds: Option<f64>,
    /// Service time p50.
    pub service_p50_seconds: Option<f64>,
    /// Service time p99.
    pub service_p99_seconds: Option<f64>,
    /// Pacer lag p99 of the requests dispatched.
    pub pacer_lag_p99_seconds: Option<f64>,
}

impl Point {
    /// Converts a row.
    #[must_use]
    pub fn of(row: &Row, pace: &Pace, step: u32) -> Self {
        Self {
            at_seconds: row.second,
            planned_rate: pace.planned_rate(row.second, step).map(rounded),
            scheduled: row.scheduled,
            sent: row.sent,
            expected: row.expected,
            unexpected: row.unexpected,
            errors: row.errors,
            shed: row.shed,
            response_p50_seconds: Row::seconds(row.response_p50),
            response_p95_seconds: Row::seconds(row.response_p95),
            response_p99_seconds: Row::seconds(row.response_p99),
            service_p50_seconds: Row::seconds(row.service_p50),
            service_p99_seconds: Row::seconds(row.service_p99),
            pacer_lag_p99_seconds: Row::seconds(row.pacer_lag_p99),
        }
    }
}

/// Rounds to a millionth, which survives a JSON round trip exactly.
pub fn rounded(rate: f64) -> f64 {
    (rate * 1e6).round() / 1e6
}
