//! Durations in Prometheus's notation: `15s`, `1h30m`, `250ms`, `1d`, with `y` = 365 d and `w` = 7 d.
//!
//! Source: <https://prometheus.io/docs/prometheus/latest/querying/basics/#time-durations>.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use crate::error::Error;

/// Reads a duration such as `2m` or `1h30m`; zero may stand with a unit or without, as in Prometheus's files.
///
/// # Errors
/// [`Error::Duration`].
pub fn parse(text: &str) -> Result<Duration, Error> {
    let text = text.trim();
    // The parser is for PromQL's ranges, where zero is no range.
    if matches!(text, "0" | "0ms" | "0s" | "0m" | "0h" | "0d" | "0w" | "0y") {
        return Ok(Duration::ZERO);
    }
    let bad = || Error::Duration(text.to_owned());
    // The parser takes a bare number for seconds, as PromQL's newest syntax does, and panics at a negative one;
    // Prometheus's files and flags know neither.
    if text.parse::<f64>().is_ok() {
        return Err(bad());
    }
    promql_parser::util::parse_duration(text).map_err(|_| bad())
}

/// Writes a duration in Prometheus's notation, to the millisecond: `1h30m`, `1s500ms`, `0s`; whole weeks and years as such.
#[must_use]
pub fn format(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    promql_parser::util::display_duration(&Duration::from_millis(millis))
}

/// For `#[serde(deserialize_with = "duration::deserialize")]`.
///
/// # Errors
/// As [`parse`].
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).map_err(de::Error::custom)
}

/// For optional fields: `#[serde(default, deserialize_with = "duration::deserialize_option")]`.
///
/// # Errors
/// As [`parse`].
pub fn deserialize_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| parse(&text).map_err(de::Error::custom)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_the_same_notation() {
        for (text, millis) in [
            ("250ms", 250),
            ("15s", 15_000),
            ("1h30m", 5_400_000),
            ("1s500ms", 1_500),
            ("2d", 172_800_000),
            ("1w", 604_800_000),
            ("8d", 691_200_000),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(millis), "{text}");
            assert_eq!(format(Duration::from_millis(millis)), text);
        }
        for zero in ["0", "0s", " 0m "] {
            assert_eq!(parse(zero).unwrap(), Duration::ZERO);
        }
        assert_eq!(format(Duration::ZERO), "0s");
    }

    #[test]
    fn refuses_what_prometheus_refuses_and_names_it() {
        for text in ["", "5", "-5", "NaN", "m5", "5 m", "-5m", "1.5h"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }
}
