//! Reads and validates reports.

use crate::error::LoadError;
use std::path::Path;

use serde_json::Value;

use crate::record::window::{self, NAMES};
use crate::report::model::{Report, SCHEMA_VERSION};

/// Maximum time in a report, in seconds: the range of the series.
const LONGEST: f64 = u32::MAX as f64;
/// Maximum of any other number; sums of thousands of reports do not overflow.
const MAX: f64 = 1e15;

/// Reads one report.
///
/// # Errors
/// When the file cannot be read or is not a valid report.
pub fn read(path: &Path) -> Result<Report, LoadError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| LoadError::Report(format!("{shown}: cannot read the file: {error}")))?;
    parse(&text).map_err(|reason| {
        LoadError::Report(format!(
            "{shown}: {reason}; expected a report written by `loadgen run --out FILE.json`"
        ))
    })
}

fn parse(text: &str) -> Result<Report, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value["schema"] != "loadgen-run" {
        return Err("not a report of a run".to_owned());
    }
    if value["schema_version"] != SCHEMA_VERSION {
        return Err(format!("schema version is {}, expected {SCHEMA_VERSION}", value["schema_version"]));
    }
    in_range("", &value)?;
    let report: Report = serde_json::from_value(value).map_err(|error| error.to_string())?;
    check_histograms(&report)?;
    Ok(report)
}

/// Checks the range of every number: a count, a rate, or a time if its name ends in `seconds`.
fn in_range(name: &str, value: &Value) -> Result<(), String> {
    let below = |part: String| if name.is_empty() { part } else { format!("{name}.{part}") };
    match value {
        Value::Object(fields) => {
            fields.iter().try_for_each(|(part, value)| in_range(&below(part.clone()), value))
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| in_range(&format!("{name}[{index}]"), value)),
        Value::Number(number) if name != "seed" => {
            let last = name.rsplit('.').next().unwrap_or_default();
            // Latencies have their unit in the parent's name: `latency_seconds.response.p99`.
            let seconds = last.ends_with("_seconds")
                || last == "seconds"
                || name.starts_with("latency_seconds.") && last != "count";
            let max = if seconds { LONGEST } else { MAX };
            match number.as_f64() {
                Some(given) if (0.0..=max).contains(&given) => Ok(()),
                _ => Err(format!("{name}: {number} is not between 0 and {max}")),
            }
        }
        _ => Ok(()),
    }
}

/// Checks that the histograms can be read, match their counts and can be merged.
fn check_histograms(report: &Report) -> Result<(), String> {
    for ((name, _), distribution) in NAMES.into_iter().zip(report.latency_seconds.each()) {
        let bad = |reason: &str| format!("latency_seconds.{name}.hdr_v2_base64: {reason}");
        let histogram = distribution.histogram().map_err(|error| bad(&error.to_string()))?;
        let fits = window::histogram().add(&histogram);
        fits.map_err(|_| bad("contains latencies above the maximum of one hour"))?;
        if histogram.len() != distribution.count {
            return Err(bad(&format!(
                "contains {} values, but count is {}",
                histogram.len(),
                distribution.count
            )));
        }
    }
    Ok(())
}
