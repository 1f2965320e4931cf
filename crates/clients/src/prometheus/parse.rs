//! Answers of Prometheus, from JSON text to our types.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Reason;
use crate::prometheus::outgoing::Outgoing;
use crate::prometheus::types::{ActiveAlert, Alerting, Labels, Rule, RuleGroup, Series, Target};
use common::duration;

/// Every answer comes in this envelope.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    status: String,
    data: Option<Value>,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: String,
}

fn data<T: DeserializeOwned>(body: &str) -> Result<T, Reason> {
    let envelope: Envelope = serde_json::from_str(body)?;
    if envelope.status != "success" {
        return Err(Reason::Failed { kind: envelope.error_type, message: envelope.error });
    }
    Ok(serde_json::from_value(envelope.data.unwrap_or(Value::Null))?)
}

pub fn resend_delay(body: &str) -> Result<Duration, Reason> {
    let flags: std::collections::BTreeMap<String, String> = data(body)?;
    let name = "rules.alert.resend-delay";
    let value = flags.get(name).ok_or_else(|| Reason::Answer(format!("no flag {name}")))?;
    duration::parse(value).map_err(|error| Reason::Answer(format!("{name}: {error}")))
}

#[derive(Deserialize)]
struct WireConfig {
    yaml: String,
}

pub fn outgoing(body: &str) -> Result<Outgoing, Reason> {
    let wire: WireConfig = data(body)?;
    Outgoing::parse(&wire.yaml)
}

#[derive(Deserialize)]
struct WireGroups {
    groups: Vec<WireGroup>,
}

#[derive(Deserialize)]
struct WireGroup {
    name: String,
    file: String,
    /// Seconds.
    interval: f64,
    rules: Option<Vec<WireRule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRule {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    query: String,
    health: String,
    #[serde(default)]
    last_error: String,
    last_evaluation: Option<Timestamp>,
    labels: Option<Labels>,
    state: Option<String>,
    /// Seconds; `for:`.
    #[serde(default)]
    duration: f64,
    /// Seconds; not sent by every version.
    #[serde(default)]
    keep_firing_for: f64,
    alerts: Option<Vec<WireAlert>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAlert {
    labels: Labels,
    state: String,
    active_at: Timestamp,
    value: String,
}

pub fn rules(body: &str) -> Result<Vec<RuleGroup>, Reason> {
    let wire: WireGroups = data(body)?;
    wire.groups
        .into_iter()
        .map(|group| {
            Ok(RuleGroup {
                interval: seconds(group.interval)?,
                rules: group.rules.unwrap_or_default().into_iter().map(rule).collect::<Result<_, _>>()?,
                name: group.name,
                file: group.file,
            })
        })
        .collect()
}

fn rule(wire: WireRule) -> Result<Rule, Reason> {
    let alerting = if wire.kind == "alerting" {
        Some(Alerting {
            hold: seconds(wire.duration)?,
            keep_firing: seconds(wire.keep_firing_for)?,
            labels: wire.labels.unwrap_or_default(),
            state: wire.state.ok_or_else(|| Reason::Answer(format!("{} has no state", wire.name)))?,
            alerts: wire.alerts.unwrap_or_default().into_iter().map(alert).collect::<Result<_, _>>()?,
        })
    } else {
        None
    };
    Ok(Rule {
        name: wire.name,
        query: wire.query,
        health: wire.health,
        last_error: wire.last_error,
        last_evaluation: wire.last_evaluation.and_then(since_zero),
        alerting,
    })
}

fn alert(wire: WireAlert) -> Result<ActiveAlert, Reason> {
    let value = number(&wire.value)?;
    Ok(ActiveAlert { labels: wire.labels, state: wire.state, active_at: wire.active_at, value })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTargets {
    active_targets: Vec<WireTarget>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTarget {
    labels: Labels,
    scrape_pool: String,
    scrape_url: String,
    health: String,
    #[serde(default)]
    last_error: String,
    last_scrape: Option<Timestamp>,
    scrape_interval: String,
}

pub fn targets(body: &str) -> Result<Vec<Target>, Reason> {
    let wire: WireTargets = data(body)?;
    wire.active_targets
        .into_iter()
        .map(|mut target| {
            Ok(Target {
                job: target.labels.remove("job").unwrap_or(target.scrape_pool),
                scrape_url: target.scrape_url,
                health: target.health,
                last_error: target.last_error,
                last_scrape: target.last_scrape.and_then(since_zero),
                scrape_interval: duration::parse(&target.scrape_interval)
                    .map_err(|error| Reason::Answer(format!("scrapeInterval: {error}")))?,
            })
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAlertmanagers {
    active_alertmanagers: Vec<WireAlertmanager>,
}

#[derive(Deserialize)]
struct WireAlertmanager {
    url: String,
}

pub fn alertmanagers(body: &str) -> Result<Vec<String>, Reason> {
    let wire: WireAlertmanagers = data(body)?;
    Ok(wire.active_alertmanagers.into_iter().map(|it| it.url).collect())
}

/// Seconds since 1970 and the value as text.
type WireSample = (f64, String);

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum WireResult {
    Vector(Vec<WireSeries>),
    Matrix(Vec<WireSeries>),
    Scalar(WireSample),
    String(WireSample),
}

#[derive(Deserialize)]
struct WireSeries {
    metric: Labels,
    value: Option<WireSample>,
    #[serde(default)]
    values: Vec<WireSample>,
}

pub fn series(body: &str) -> Result<Vec<Series>, Reason> {
    match data(body)? {
        WireResult::Vector(all) | WireResult::Matrix(all) => all
            .into_iter()
            .map(|wire| {
                let samples =
                    wire.value.into_iter().chain(wire.values).map(sample).collect::<Result<_, _>>()?;
                Ok(Series { labels: wire.metric, samples })
            })
            .collect(),
        WireResult::Scalar(wire) => Ok(vec![Series { labels: Labels::new(), samples: vec![sample(wire)?] }]),
        WireResult::String((_, text)) => Err(Reason::Text(text)),
    }
}

fn sample((at, value): WireSample) -> Result<(Timestamp, f64), Reason> {
    // Prometheus keeps milliseconds; a float of today's seconds holds them exactly enough to round back to.
    #[allow(clippy::cast_possible_truncation)] // saturates, and from_millisecond refuses what is out of range
    let millis = (at * 1000.0).round() as i64;
    let at =
        Timestamp::from_millisecond(millis).map_err(|error| Reason::Answer(format!("time {at}: {error}")))?;
    Ok((at, number(&value)?))
}

/// Go's `NaN`, `+Inf`, `-Inf` and `1e+00` included.
fn number(text: &str) -> Result<f64, Reason> {
    text.parse().map_err(|_| Reason::Answer(format!("{text:?} is not a number")))
}

fn seconds(seconds: f64) -> Result<Duration, Reason> {
    Duration::try_from_secs_f64(seconds).map_err(|error| Reason::Answer(format!("{seconds} s: {error}")))
}

/// Go's zero time, year 1, stands for never.
fn since_zero(at: Timestamp) -> Option<Timestamp> {
    (at > Timestamp::UNIX_EPOCH).then_some(at)
}

#[cfg(test)]
mod tests;
