//! Whether the target kept up with the rate. Where it did not, the figures depend on how long the run was.

use std::time::Duration;

use crate::format;
use crate::plan::Plan;
use crate::record::{Record, Row};
use crate::schedule::pace::Pace;
use common::duration;

/// Rows a run needs before anything is said about growth: one a quarter.
const ROWS_TO_JUDGE: usize = 4;
/// The part of its arrivals that a target must answer in the second half of a schedule of one rate, …
const KEEPS_UP: f64 = 0.98;
/// … and of one whose rate changes: what is under way grows with the rate, then.
const KEEPS_UP_CHANGING: f64 = 0.9;
/// Response times that grow less than this, in microseconds, do not count as growing, …
const GROWS: f64 = 50_000.0;
/// … nor those that grow by less than this factor, …
const GROWS_TIMES: f64 = 1.5;
/// … nor those of which less than this part of the growth came in each half of the time: that is one stall.
const STEADILY: f64 = 0.2;
/// How long after the end of a schedule of so many seconds the last request may leave, in seconds: a stall of a second or
/// two is no missed rate, but in a run of a second or two it is.
fn may_be_late(seconds: f64) -> f64 {
    (0.15 * seconds).min(1.5).max(0.05 * seconds).max(0.25)
}

/// How it showed that the target does not keep up with the rate: fewer requests are answered than come, and each waits
/// longer than those before; or requests were still waiting for a connection long after they were due.
#[must_use]
pub fn overload(plan: &Plan, record: &Record) -> Option<String> {
    let Pace::Open { schedule, .. } = &plan.pace else { return None };
    let end = record.span.as_secs_f64();
    let planned = record.rows.iter().filter(|row| f64::from(row.second + record.step) <= end + 1e-6);
    let rows: Vec<Row> = planned.copied().collect();
    let keeps_up = if schedule.constant_rate().is_some() { KEEPS_UP } else { KEEPS_UP_CHANGING };
    // What comes all at once at the end must leave after it.
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
    let (asked, answered) =
        (per_second(|row| row.scheduled), per_second(|row| row.expected + row.unexpected + row.errors));
    let [before, between, after] =
        [quarter, middle_at, late_at].map(|from| middle(&rows[from..from + quarter]));
    let (before, between, after) = (before?, between?, after?);
    let growth = f64::from(after) - f64::from(before);
    let first = (f64::from(between) - f64::from(before)) / growth;
    let grows = growth > GROWS
        && f64::from(after) > GROWS_TIMES * f64::from(before)
        && (STEADILY..=1.0 - STEADILY).contains(&first);
    (answered < keeps_up * asked && grows).then(|| {
        format!(
            "the target does not keep up: of {} asked it answered {} in the second half, and response time p50 grew \
             from {} to {}; it would go on growing",
            format::rate(asked),
            format::rate(answered),
            format::latency(Row::seconds(before)),
            format::latency(Row::seconds(after)),
        )
    })
}

/// The median of the rows' medians, in microseconds; of two the lower one.
fn middle(rows: &[Row]) -> Option<u32> {
    let mut medians: Vec<u32> =
        rows.iter().map(|row| row.response_p50).filter(|&p50| p50 != Row::NONE).collect();
    medians.sort_unstable();
    medians.get(medians.len().checked_sub(1)? / 2).copied()
}

fn late(plan: &Plan, record: &Record) -> Option<String> {
    let after = record.last_sent.saturating_sub(record.span);
    if after.as_secs_f64() <= may_be_late(record.span.as_secs_f64()) {
        return None;
    }
    let asked = plan.pace.target_rate(record.span)?;
    Some(format!(
        "the rate was not kept: of {} asked {} were sent, the last {} after the schedule had ended, as every connection \
         was waiting for an answer; lower -q, or raise -c if the target can take more at once",
        format::rate(asked),
        format::rate(record.achieved_rate()),
        duration::format(Duration::from_secs_f64((after.as_secs_f64() * 10.0).round() / 10.0)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of so many seconds: scheduled, answered, response time p50 in milliseconds.
    fn rows(of: impl Fn(u32) -> (u32, u32, u32), seconds: u32) -> Vec<Row> {
        let row = |second| {
            let (scheduled, expected, p50) = of(second);
            Row { second, scheduled, expected, response_p50: p50 * 1_000, ..Row::default() }
        };
        (0..seconds).map(row).collect()
    }

    #[test]
    fn how_late_the_last_may_leave() {
        for (span, late) in [(1.0, 0.25), (4.0, 0.6), (10.0, 1.5), (30.0, 1.5), (60.0, 3.0)] {
            assert!((may_be_late(span) - late).abs() < 1e-9, "{span}");
        }
    }

    #[test]
    fn a_queue_that_grows_is_told_from_a_stall_and_from_a_slower_answer() {
        // 49/s asked of a target that answers 46: after t seconds 3t wait, which takes it 65 ms a second more.
        let queue = rows(|second| (49, 46, 65 * second), 30);
        let said = growing(&queue, 1, KEEPS_UP).unwrap();
        assert!(
            said.contains("of 49.0/s asked it answered 46.0/s") && said.contains("would go on"),
            "{said}"
        );
        for (why, rows) in [
            ("it is too short", rows(|second| (180, 98, 400 * second), 3)),
            ("it keeps up", rows(|_| (49, 49, 20), 30)),
            ("slower, but no slower than asked", rows(|second| (49, 49, 20 + 10 * second), 30)),
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
