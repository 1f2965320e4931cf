//! How the texts of settings are read.

use std::{convert::Infallible, path::PathBuf, time::Duration};

/// A whole number within bounds.
pub(super) fn whole(text: &str, least: usize, most: usize) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("expected a whole number from {least} to {most}")),
    }
}

/// A path; clap's own parser would refuse the empty variable that compose files write for "unset".
pub(super) fn path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(text.into())
}

/// Reads `250ms`, `5s`, `1m 30s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text.trim())
        .map_err(|reason| format!("expected a duration such as 250ms, 5s or 1m ({reason})"))
}

/// A duration above zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    let parsed = duration(text)?;
    if parsed.is_zero() {
        return Err("expected a duration above zero, such as 10ms".to_owned());
    }
    Ok(parsed)
}
