//! The series of a report.

use serde::{Deserialize, Serialize};

use crate::record::Row;
use crate::schedule::pace::Pace;

/// One step of the series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Seconds from the start to its beginning.
    pub at_seconds: u32,
    /// Requests per second that were planned for it; null in a closed loop.
    pub planned_rate: Option<f64>,
    /// Arrivals due in it.
    pub scheduled: u32,
    /// Requests sent in it.
    pub sent: u32,
    /// Expected answers that arrived in it.
    pub expected: u32,
    /// Other answers.
    pub unexpected: u32,
    /// Transport and local errors.
    pub errors: u32,
    /// Arrivals shed.
    pub shed: u32,
    /// Response time of what completed in it.
    pub response_p50_seconds: Option<f64>,
    /// The same, 95 %.
    pub response_p95_seconds: Option<f64>,
    /// The same, 99 %.
    pub response_p99_seconds: Option<f64>,
    /// Service time, half.
    pub service_p50_seconds: Option<f64>,
    /// Service time, 99 %.
    pub service_p99_seconds: Option<f64>,
    /// Pacer lag of what was dispatched in it, 99 %.
    pub pacer_lag_p99_seconds: Option<f64>,
}

impl Point {
    /// The step of a row.
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

/// To a millionth: more digits say nothing, and these come back from JSON exactly.
pub fn rounded(rate: f64) -> f64 {
    (rate * 1e6).round() / 1e6
}
