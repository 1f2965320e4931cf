//! Value parsers of the settings.

use std::{
    convert::Infallible,
    fmt::Display,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

/// A text that is not a valid value of its setting.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// Not an integer, or out of bounds.
    #[error("expected an integer from {min} to {max}")]
    Integer {
        /// The minimum.
        min: String,
        /// The maximum.
        max: String,
    },
    /// Not a duration.
    #[error("expected a duration such as 250ms, 5s or 1m ({0})")]
    Duration(#[from] humantime::DurationError),
    /// A zero duration.
    #[error("must be above 0s, such as 10ms")]
    Zero,
    /// Not a retention time.
    #[error("expected a duration of at least 1s, such as 30d, or forever")]
    Retention,
    /// Not an address with a port.
    #[error("expected ADDRESS:PORT such as 127.0.0.1:8000 or [::1]:8000")]
    Address,
    /// Not a valid prefix of Redis keys.
    #[error("expected text without braces or spaces, such as `firedrill:`")]
    Prefix,
    /// Not a share.
    #[error("expected a number from 0 to 1, such as 0.1")]
    Share,
    /// Not a collector's address; the reason, in parentheses.
    #[error(
        "expected the http:// or https:// address of an OTLP/HTTP collector, such as http://127.0.0.1:4318{0}"
    )]
    Collector(String),
}

/// A path that is set; an empty variable counts as unset.
pub(super) fn given(path: &Option<PathBuf>) -> Option<&Path> {
    path.as_deref().filter(|path| !path.as_os_str().is_empty())
}

/// An integer within bounds.
pub(super) fn integer<T: FromStr + PartialOrd + Display>(
    text: &str,
    min: T,
    max: T,
) -> Result<T, ValueError> {
    match text.trim().parse() {
        Ok(number) if (&min..=&max).contains(&&number) => Ok(number),
        _ => Err(ValueError::Integer { min: min.to_string(), max: max.to_string() }),
    }
}

/// A path. The parser of clap would reject the empty variable that compose files write for "unset".
pub(super) fn path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(text.into())
}

/// Parses `250ms`, `5s`, `1m 30s`.
pub(super) fn duration(text: &str) -> Result<Duration, ValueError> {
    Ok(humantime::parse_duration(text.trim())?)
}

/// A duration above zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, ValueError> {
    let parsed = duration(text)?;
    if parsed.is_zero() { Err(ValueError::Zero) } else { Ok(parsed) }
}
