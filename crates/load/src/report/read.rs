//! Reports read again, and made sure of: whoever works with one afterwards need not doubt its figures.

use crate::error::LoadError;
use std::path::Path;

use serde_json::Value;

use crate::record::window::{self, NAMES};
use crate::report::model::{Report, SCHEMA_VERSION};

/// The most seconds a report may speak of, some 136 years: the end of its series' clock.
const LONGEST: f64 = u32::MAX as f64;
/// The most of anything else; sums of thousands of reports still fit.
const MOST: f64 = 1e15;

/// Reads one report.
///
/// # Errors
/// A sentence that names the file, what is wrong and the way out.
pub fn read(path: &Path) -> Result<Report, LoadError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| LoadError::Report(format!("{shown}: cannot read it: {error}")))?;
    parse(&text).map_err(|reason| {
        LoadError::Report(format!(
            "{shown}: {reason}; expected a report that `loadgen run --out FILE.json` wrote"
        ))
    })
}

fn parse(text: &str) -> Result<Report, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value["schema"] != "loadgen-run" {
        return Err("it is no report of a run".to_owned());
    }
    if value["schema_version"] != SCHEMA_VERSION {
        return Err(format!("its version is {}, not {SCHEMA_VERSION}", value["schema_version"]));
    }
    in_range("", &value)?;
    let report: Report = serde_json::from_value(value).map_err(|error| error.to_string())?;
    whole(&report)?;
    Ok(report)
}

/// Every number of a report is a count, a rate or a time, and its name says when it is a time.
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
            // Of a latency the name above says the unit: `latency_seconds.response.p99`.
            let seconds = last.ends_with("_seconds")
                || last == "seconds"
                || name.starts_with("latency_seconds.") && last != "count";
            let most = if seconds { LONGEST } else { MOST };
            match number.as_f64() {
                Some(given) if (0.0..=most).contains(&given) => Ok(()),
                _ => Err(format!("{name}: {number} is not from 0 to {most}")),
            }
        }
        _ => Ok(()),
    }
}

/// The histograms are there, hold what is said of them and fit into those of a run.
fn whole(report: &Report) -> Result<(), String> {
    for ((name, _), distribution) in NAMES.into_iter().zip(report.latency_seconds.each()) {
        let bad = |reason: &str| format!("latency_seconds.{name}.hdr_v2_base64: {reason}");
        let histogram = distribution.histogram().map_err(|error| bad(&error.to_string()))?;
        let fits = window::histogram().add(&histogram);
        fits.map_err(|_| bad("it holds latencies of over an hour, which no run tells apart"))?;
        if histogram.len() != distribution.count {
            return Err(bad(&format!(
                "it holds {} values, but count is {}",
                histogram.len(),
                distribution.count
            )));
        }
    }
    Ok(())
}
