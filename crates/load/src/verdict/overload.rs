//! Detects a target that does not keep up with the rate. The latencies of such a run depend on its duration.

use std::time::Duration;

use crate::format;
use crate::plan::Plan;
use crate::record::{Record, Row};
use crate::schedule::pace::Pace;
use common::duration;

/// Minimum number of rows to detect growth: one per quarter of the run.
const ROWS_TO_JUDGE: usize = 4;
/// Minimum share of arrivals that a target must complete in the second half of a constant-rate schedule.
const KEEPS_UP: f64 = 0.98;
/// The same for a schedule whose rate changes: the number of requests in flight then grows with the rate.
const KEEPS_UP_CHANGING: f64 = 0.9;
/// Minimum growth of the response time, in microseconds, ...
const GROWS: f64 = 50_000.0;
/// ... its minimum factor, ...
const GROWS_TIMES: f64 = 1.5;
/// ... and the minimum share of the growth in each half of the time. Less than that is a single stall.
const STEADILY: f64 = 0.2;
/// How long after the end of the schedule the last request may be sent, in seconds. A stall of a second or two is
/// tolerated in a long run but not in a run of a second or two.
fn allowed_lateness(seconds: f64) -> f64 {
    (0.15 * seconds).min(1.5).max(0.05 * seconds).max(0.25)
}

/// Describes how the target fell behind the rate, if it did: it completed fewer requests than were due and response
/// times kept growing, or requests were still waiting for a connection long after they were due.
#[must_use]
pub fn overload(plan: &Plan, record: &Record) -> Option<String> {
    let Pace::Open { schedule, .. } = &plan.pace else { return None };
    let end = record.span.as_secs_f64();
    let planned = record.rows.iter().filter(|row| f64::from(row.second + record.step) <= end + 1e-6);
    let rows: Vec<Row> = planned.copied().collect();
    let keeps_up = if schedule.constant_rate().is_some() { KEEPS_UP } else { KEEPS_UP_CHANGING };
    // A burst at the end is always sent after the schedule ends.
    let late = || late(plan, record).filter(|_| !schedule.ends_in_a_burst());
    growing(&rows, record.step, keeps_up).or_else(late)
}

fn growing(rows: &[Row], step: u32, keeps_up: f64) -> Option<String> {
    if rows.len() < ROWS_TO_JUDGE {
        return None;
    }
    let quarter = rows.len() / 4;
    let (middle_at, late_at) = (rows.len() / 2, rows.len() - quarter);
    let half = &rows[middle_at..];
    let per_second = |of: fn(&Row) -> u32| {
        let sum: u64 = half.iter().map(|row| u64::from(of(row))).sum();
        sum as f64 / (half.len() as f64 * f64::from(step))
    };
    let (target, completed) =
        (per_second(|row| row.scheduled), per_second(|row| row.expected + row.unexpected + row.errors));
    let [before, between, after] =
        [quarter, middle_at, late_at].map(|from| middle(&rows[from..from + quarter]));
    let (before, between, after) = (before?, between?, after?);
    let growth = f64::from(after) - f64::from(before);
    let first = (f64::from(between) - f64::from(before)) / growth;
    let grows = growth > GROWS
        && f64::from(after) > GROWS_TIMES * f64::from(before)
        && (STEADILY..=1.0 - STEADILY).contains(&first);
    (completed < keeps_up * target && grows).then(|| {
        format!(
            "the target does not keep up: it completed {} of {} in the second half, and response time p50 grew \
             from {} to {} and would keep growing",
            format::rate(completed),
            format::rate(target),
            format::latency(Row::seconds(before)),
            format::latency(Row::seconds(after)),
        )
    })
}

/// The median of the rows' medians, in microseconds; the lower one if there are two.
fn middle(rows: &[Row]) -> Option<u32> {
    let mut medians: Vec<u32> =
        rows.iter().map(|row| row.response_p50).filter(|&p50| p50 != Row::NONE).collect();
    medians.sort_unstable();
    medians.get(medians.len().checked_sub(1)? / 2).copied()
}

fn late(plan: &Plan, record: &Record) -> Option<String> {
    let after = record.last_sent.saturating_sub(record.span);
    if after.as_secs_f64() <= allowed_lateness(record.span.as_secs_f64()) {
        return None;
    }
    let target = plan.pace.target_rate(record.span)?;
    Some(format!(
        "target rate not reached: {} of {} sent, the last request {} after the end of the schedule, because every \
         connection was waiting for a response; lower -q, or raise -c if the target can handle more concurrent requests",
        format::rate(record.achieved_rate()),
        format::rate(target),
        duration::format(Duration::from_secs_f64((after.as_secs_f64() * 10.0).round() / 10.0)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row per second, from its scheduled and completed requests and its response time p50 in milliseconds.
    fn rows(of: impl Fn(u32) -> (u32, u32, u32), seconds: u32) -> Vec<Row> {
        let row = |second| {
            let (scheduled, expected, p50) = of(second);
            Row { second, scheduled, expected, response_p50: p50 * 1_000, ..Row::default() }
        };
        (0..seconds).map(row).collect()
    }

    #[test]
    fn allows_more_lateness_in_longer_runs() {
        for (span, late) in [(1.0, 0.25), (4.0, 0.6), (10.0, 1.5), (30.0, 1.5), (60.0, 3.0)] {
            assert!((allowed_lateness(span) - late).abs() < 1e-9, "{span}");
        }
    }

    #[test]
    fn detects_a_growing_queue_but_not_a_stall_or_a_slow_target() {
        // The target completes 46 of 49 requests per second: 3t are waiting after t seconds, which adds 65 ms a second.
        let queue = rows(|second| (49, 46, 65 * second), 30);
        let message = growing(&queue, 1, KEEPS_UP).unwrap();
        assert!(
            message.contains("it completed 46.0/s of 49.0/s") && message.contains("would keep growing"),
            "{message}"
        );
        for (why, rows) in [
            ("it is too short", rows(|second| (180, 98, 400 * second), 3)),
            ("it keeps up", rows(|_| (49, 49, 20), 30)),
            ("slower, but it keeps up", rows(|second| (49, 49, 20 + 10 * second), 30)),
            (
                "one stall at the end",
                rows(|second| (49, if second == 28 { 1 } else { 48 }, if second > 26 { 900 } else { 2 }), 30),
            ),
            ("slow from the beginning", rows(|_| (49, 47, 2_500), 30)),
        ] {
            assert_eq!(growing(&rows, 1, KEEPS_UP), None, "{why}");
        }
        assert!(growing(&rows(|second| (180, 98, 400 * second), 7), 1, KEEPS_UP).is_some());
        assert_eq!(growing(&queue, 1, KEEPS_UP_CHANGING), None);
    }
}
