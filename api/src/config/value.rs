//! How the texts of settings are read.

use std::{convert::Infallible, fmt::Display, path::PathBuf, str::FromStr, time::Duration};

/// A text that is no value of its setting.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// No number, or one out of bounds.
    #[error("expected a whole number from {least} to {most}")]
    Whole {
        /// The least that is taken.
        least: String,
        /// The most.
        most: String,
    },
    /// No duration.
    #[error("expected a duration such as 250ms, 5s or 1m ({0})")]
    Duration(#[from] humantime::DurationError),
    /// A duration of nothing.
    #[error("expected a duration above zero, such as 10ms")]
    Zero,
    /// No time that something could be kept.
    #[error("expected a duration of a second or more, such as 30d, or forever")]
    Retention,
    /// No address with a port.
    #[error("expected ADDRESS:PORT such as 127.0.0.1:8000 or [::1]:8000")]
    Address,
    /// No start of Redis keys.
    #[error("expected text without braces or spaces, such as firedrill:")]
    Prefix,
    /// No share.
    #[error("expected a number from 0 to 1, such as 0.1")]
    Share,
    /// No collector's address; why, in brackets.
    #[error(
        "expected the http:// or https:// address of an OTLP/HTTP collector, such as http://127.0.0.1:4318{0}"
    )]
    Collector(String),
}

/// A whole number within bounds.
pub(super) fn whole<T: FromStr + PartialOrd + Display>(
    text: &str,
    least: T,
    most: T,
) -> Result<T, ValueError> {
    match text.trim().parse() {
        Ok(number) if (&least..=&most).contains(&&number) => Ok(number),
        _ => Err(ValueError::Whole { least: least.to_string(), most: most.to_string() }),
    }
}

/// A path; clap's own parser would refuse the empty variable that compose files write for "unset".
pub(super) fn path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(text.into())
}

/// Reads `250ms`, `5s`, `1m 30s`.
pub(super) fn duration(text: &str) -> Result<Duration, ValueError> {
    Ok(humantime::parse_duration(text.trim())?)
}

/// A duration above zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, ValueError> {
    let parsed = duration(text)?;
    if parsed.is_zero() { Err(ValueError::Zero) } else { Ok(parsed) }
}
