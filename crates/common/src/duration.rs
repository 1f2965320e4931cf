//! Durations in Prometheus notation: `15s`, `1h30m`, `250ms`, `1d`, with `y` = 365 d and `w` = 7 d.
//!
//! Source: <https://prometheus.io/docs/prometheus/latest/querying/basics/#time-durations>.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

use crate::error::Error;

/// The longest duration of Prometheus and Alertmanager, 2⁶³ − 1 nanoseconds: 292 years.
pub const LONGEST: Duration = Duration::from_nanos(i64::MAX.unsigned_abs());

/// Parses a duration such as `2m` or `1h30m`. Zero may have a unit or none, as in Prometheus's files.
///
/// # Errors
/// [`Error::Duration`] and, beyond [`LONGEST`], [`Error::LongDuration`].
pub fn parse(text: &str) -> Result<Duration, Error> {
    let text = text.trim();
    // The parser is for PromQL ranges and rejects zero.
    if matches!(text, "0" | "0ms" | "0s" | "0m" | "0h" | "0d" | "0w" | "0y") {
        return Ok(Duration::ZERO);
    }
    let bad = || Error::Duration(text.to_owned());
    // The parser accepts a bare number as seconds, as new PromQL versions do, and panics on a negative one.
    // Prometheus's files and flags accept neither.
    if text.parse::<f64>().is_ok() {
        return Err(bad());
    }
    let duration = promql_parser::util::parse_duration(text);
    // The parser leaves out a part whose number has more than 32 bits.
    let left_out = |digits: &str| !digits.is_empty() && digits.parse::<u32>().is_err();
    if text.split(|it: char| !it.is_ascii_digit()).any(left_out)
        || duration.as_ref().is_ok_and(|it| *it > LONGEST)
    {
        return Err(Error::LongDuration(text.to_owned()));
    }
    duration.map_err(|_| bad())
}

/// Formats a duration in Prometheus notation, with millisecond precision: `1h30m`, `1s500ms`, `0s`, `1w`.
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

/// For `#[serde(with = "duration")]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&format(*duration))
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
    fn parses_and_formats_the_same_notation() {
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
    fn rejects_durations_that_prometheus_cannot_hold() {
        assert_eq!(parse("292y").unwrap(), Duration::from_secs(292 * 365 * 86_400));
        for text in ["293y", "1h4294967296s", "99999999999999999999ms", "4000000000y"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the duration `{text}` is too long")), "{error}");
        }
    }

    #[test]
    fn rejects_invalid_durations_by_name() {
        for text in ["", "5", "-5", "NaN", "m5", "5 m", "-5m", "1.5h"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }
}
