//! The series as CSV (RFC 4180), one row per step. Column names include the unit.

use std::fmt::Write;

use crate::report::model::Report;
use crate::report::point::Point;

const HEADER: &str = "at_seconds,planned_rate,scheduled,sent,expected,unexpected,errors,shed,response_p50_seconds,\
                      response_p95_seconds,response_p99_seconds,service_p50_seconds,service_p99_seconds,\
                      pacer_lag_p99_seconds\r\n";

/// The header and the rows. A field without a value is empty.
#[must_use]
pub fn rows(report: &Report) -> String {
    let mut text = HEADER.to_owned();
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for point in &report.series {
        let Point { at_seconds, scheduled, sent, expected, unexpected, errors, shed, .. } = point;
        let rate = number(point.planned_rate);
        let latencies = [
            point.response_p50_seconds,
            point.response_p95_seconds,
            point.response_p99_seconds,
            point.service_p50_seconds,
            point.service_p99_seconds,
            point.pacer_lag_p99_seconds,
        ];
        let latencies = latencies.map(number).join(",");
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{at_seconds},{rate},{scheduled},{sent},{expected},{unexpected},{errors},{shed},{latencies}\r\n"
        );
    }
    text
}
