//! The alerts that were pending or firing during a run, from Prometheus (`--alerts-from`).

use crate::error::LoadError;
use std::time::Duration;

use itertools::Itertools;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use clients::address::redacted;
use clients::prometheus::{Prometheus, Series};
use common::tls::Trust;

/// Maximum number of points queried per series, well below the limit of Prometheus.
const POINTS: f64 = 5_000.0;
/// Query timeout.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A period in which an alert was in one state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertSpan {
    /// `alertname`.
    pub alert: String,
    /// The `severity` label; empty if missing.
    pub severity: String,
    /// `pending` or `firing`.
    pub state: String,
    /// Seconds from the start of the run.
    pub from_seconds: f64,
    /// Seconds from the start of the run; at most the run's end.
    pub to_seconds: f64,
}

/// Queries the alerts of a run that began at `started` and took `elapsed`.
///
/// # Errors
/// When the query fails; the error names the Prometheus URL.
pub async fn fetch(
    prometheus: &Url,
    trust: &Trust,
    started: Timestamp,
    elapsed: Duration,
) -> Result<Vec<AlertSpan>, LoadError> {
    let bad = |error: &dyn std::fmt::Display| {
        let shown = redacted(prometheus.as_str());
        LoadError::Alerts(format!("--alerts-from {shown}: {error}; the report has no alerts"))
    };
    let system = Prometheus::without_token(prometheus, trust).map_err(|error| bad(&error))?;
    let length = SignedDuration::try_from(elapsed).map_err(|error| bad(&error))?;
    let step = Duration::from_secs_f64((elapsed.as_secs_f64() / POINTS).ceil().max(1.0));
    let query = system.query_range("ALERTS", started, started + length, step);
    let response = tokio::time::timeout(TIMEOUT, query).await;
    let series = response.map_err(|_| bad(&"no response within 10 s"))?.map_err(|error| bad(&error))?;
    Ok(spans(&series, started, step.as_secs_f64(), elapsed.as_secs_f64()))
}

/// Converts samples that are one step apart to spans, ordered by start. A series has samples while its alert is in that
/// state.
#[must_use]
pub fn spans(series: &[Series], started: Timestamp, step: f64, elapsed: f64) -> Vec<AlertSpan> {
    let mut spans: Vec<AlertSpan> = Vec::new();
    for Series { labels, samples } in series {
        let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
        let sample = |(at, _): &(Timestamp, f64)| {
            let at = at.duration_since(started).as_secs_f64();
            (at, at + step)
        };
        let stretches = samples.iter().map(sample).coalesce(|before, next| {
            if next.0 - before.1 <= 0.5 * step { Ok((before.0, next.1)) } else { Err((before, next)) }
        });
        spans.extend(stretches.map(|(from, to)| AlertSpan {
            alert: label("alertname"),
            severity: label("severity"),
            state: label("alertstate"),
            from_seconds: from.clamp(0.0, elapsed),
            to_seconds: to.clamp(0.0, elapsed),
        }));
    }
    spans.retain(|span| span.to_seconds > span.from_seconds);
    spans.sort_by(|a, b| a.from_seconds.total_cmp(&b.from_seconds).then_with(|| a.alert.cmp(&b.alert)));
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use clients::prometheus::Labels;

    fn series(alert: &str, state: &str, started: Timestamp, seconds: &[i64]) -> Series {
        let labels: Labels =
            [("__name__", "ALERTS"), ("alertname", alert), ("alertstate", state), ("severity", "warning")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        let samples =
            seconds.iter().map(|&second| (started + SignedDuration::from_secs(second), 1.0)).collect();
        Series { labels, samples }
    }

    #[test]
    fn samples_become_spans() {
        let started: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let given = [
            series("B", "firing", started, &[7, 8, 9, 10]),
            series("B", "pending", started, &[5, 6]),
            series("A", "firing", started, &[1, 2, 6, 7]),
            series("Late", "firing", started, &[10]),
        ];
        let found: Vec<_> = spans(&given, started, 1.0, 10.0)
            .into_iter()
            .map(|span| (span.alert, span.state, span.from_seconds, span.to_seconds))
            .collect();
        let expected = [
            ("A", "firing", 1.0, 3.0),
            ("B", "pending", 5.0, 7.0),
            ("A", "firing", 6.0, 8.0),
            ("B", "firing", 7.0, 10.0),
        ];
        assert_eq!(
            found,
            expected.map(|(alert, state, from, to)| (alert.to_owned(), state.to_owned(), from, to))
        );
    }
}
