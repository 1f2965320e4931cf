//! Timestamps and durations, and how they are written.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Seconds from `from` to `to`; negative when `to` came first.
#[must_use]
pub fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

/// `at` plus `by`, limited to the range of timestamps.
#[must_use]
pub fn after(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// `at` minus `by`, limited to the range of timestamps.
#[must_use]
pub fn before(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// Formats as `12:01:04`, UTC.
#[must_use]
pub fn time_of_day(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// Formats as `12:01:04.250`, UTC.
#[must_use]
pub fn precise_time_of_day(at: Timestamp) -> String {
    at.strftime("%H:%M:%S%.3f").to_string()
}

/// Formats seconds for reading: `9.1 s`, `217 s`, `1 h 30 min`, `36 h`.
#[must_use]
pub fn readable(seconds: f64) -> String {
    let length = seconds.abs();
    // Two units are precise enough; below ten minutes bounds differ by seconds.
    let (large, size, small, part) = match length {
        ..100.0 => return format!("{seconds:.1} s"),
        ..600.0 => return format!("{seconds:.0} s"),
        ..3_600.0 => ("min", 60.0, "s", 1.0),
        ..172_800.0 => ("h", 3_600.0, "min", 60.0),
        _ => ("d", 86_400.0, "h", 3_600.0),
    };
    let rounded = (length / part).round() * part;
    let (whole, rest) = ((rounded / size).floor(), (rounded % size / part).round());
    let sign = if seconds < 0.0 { "-" } else { "" };
    let rest = if rest > 0.0 { format!(" {rest} {small}") } else { String::new() };
    format!("{sign}{whole} {large}{rest}")
}

/// Formats with three significant digits: `0.031`, `0.05`, `52.3`, `1240`.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor();
    let decimals = (2.0 - magnitude).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The end of a wait, on the monotonic clock, so that a changed wall clock cannot make the wait endless.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline `limit` after `origin`; it has passed already if that instant is in the past.
    #[must_use]
    pub fn after(origin: Timestamp, limit: Duration) -> Self {
        let left = seconds(Timestamp::now(), after(origin, limit)).clamp(0.0, limit.as_secs_f64());
        Self(Instant::now() + Duration::from_secs_f64(left))
    }

    /// A deadline `limit` from now.
    #[must_use]
    pub fn within(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// Whether the deadline has passed.
    #[must_use]
    pub fn passed(self) -> bool {
        Instant::now() >= self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_durations_and_times() {
        let early: Timestamp = "2026-01-02T12:01:04.25Z".parse().unwrap();
        let late = after(early, Duration::from_millis(1500));
        assert_eq!(seconds(early, late), 1.5);
        assert_eq!(seconds(late, early), -1.5);
        assert_eq!(before(late, Duration::from_millis(1500)), early);
        assert_eq!(time_of_day(early), "12:01:04");
        assert_eq!(precise_time_of_day(early), "12:01:04.250");
        assert_eq!(readable(9.06), "9.1 s");
        assert_eq!(readable(95.2), "95.2 s");
        for (seconds, text) in [
            (217.4, "217 s"),
            (599.4, "599 s"),
            (610.4, "10 min 10 s"),
            (659.9, "11 min"),
            (-610.0, "-10 min 10 s"),
            (3_600.0, "1 h"),
            (5_430.0, "1 h 31 min"),
            (7_199.0, "2 h"),
            (129_602.0, "36 h"),
            (172_800.0, "2 d"),
            (2_631_000.0, "30 d 11 h"),
        ] {
            assert_eq!(readable(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn only_past_deadlines_have_passed() {
        let now = Timestamp::now();
        assert!(Deadline::after(before(now, Duration::from_secs(9)), Duration::from_secs(3)).passed());
        assert!(!Deadline::after(now, Duration::from_secs(300)).passed());
        // A wall clock that was set back does not extend the wait beyond its limit.
        assert!(!Deadline::after(after(now, Duration::from_secs(99)), Duration::from_secs(1)).passed());
    }

    #[test]
    fn numbers_have_three_significant_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.0312345, "0.0312"),
            (0.05, "0.05"),
            (52.345, "52.3"),
            (1240.4, "1240"),
            (100.0, "100"),
            (-0.5, "-0.5"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
