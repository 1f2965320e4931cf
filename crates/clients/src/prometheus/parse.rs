//! Parses Prometheus's JSON responses.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Reason;
use crate::prometheus::config;
use crate::prometheus::outgoing::Outgoing;
use crate::prometheus::types::{Build, Labels, Rule, RuleGroup, Sample, Series, Target};
use common::duration;

/// The envelope of every response. `data` is parsed apart: kept as a generic value here, it would be in memory twice.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    status: String,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

fn data<T: DeserializeOwned>(body: &str) -> Result<T, Reason> {
    let envelope: Envelope = serde_json::from_str(body)?;
    if envelope.status != "success" {
        return Err(Reason::Failed { kind: envelope.error_type, message: envelope.error });
    }
    Ok(serde_json::from_str::<Data<T>>(body)?.data)
}

pub fn resend_delay(body: &str) -> Result<Duration, Reason> {
    let flags: std::collections::BTreeMap<String, String> = data(body)?;
    let name = "rules.alert.resend-delay";
    let value = flags.get(name).ok_or_else(|| Reason::Value(format!("missing flag {name}")))?;
    duration::parse(value).map_err(|error| Reason::Value(format!("{name}: {error}")))
}

#[derive(Deserialize)]
struct WireConfig {
    yaml: String,
}

pub fn outgoing(body: &str) -> Result<Outgoing, Reason> {
    let wire: WireConfig = data(body)?;
    Outgoing::parse(&wire.yaml)
}

pub fn query_offset(body: &str) -> Result<Duration, Reason> {
    let wire: WireConfig = data(body)?;
    config::query_offset(&wire.yaml)
}

pub fn build(body: &str) -> Result<Build, Reason> {
    Ok(data::<Option<Build>>(body)?.unwrap_or_default())
}

pub fn version(body: &str) -> Result<Option<(u32, u32)>, Reason> {
    Ok(build(body)?.numbers())
}

#[derive(Deserialize)]
struct WireGroups {
    groups: Vec<RuleGroup>,
}

pub fn rules(body: &str) -> Result<Vec<RuleGroup>, Reason> {
    let WireGroups { groups } = data(body)?;
    let stateless = |rule: &&Rule| rule.alerting.as_ref().is_some_and(|it| it.state.is_empty());
    match groups.iter().flat_map(|group| &group.rules).find(stateless) {
        Some(rule) => Err(Reason::Value(format!("rule {} has no state", rule.name))),
        None => Ok(groups),
    }
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
    #[serde(default)]
    discovered_labels: Labels,
    #[serde(flatten)]
    target: Target,
}

pub fn targets(body: &str) -> Result<Vec<Target>, Reason> {
    let wire: WireTargets = data(body)?;
    let named = |WireTarget { mut labels, discovered_labels, target }: WireTarget| Target {
        // Relabelling may change the job, so it can differ from the scrape pool.
        job: labels.remove("job").unwrap_or(target.job),
        // VictoriaMetrics and Thanos report the interval only there.
        scrape_interval: target.scrape_interval.or_else(|| {
            discovered_labels.get("__scrape_interval__").and_then(|text| duration::parse(text).ok())
        }),
        ..target
    };
    Ok(wire.active_targets.into_iter().map(named).collect())
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

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum WireResult {
    Vector(Vec<Series>),
    Matrix(Vec<Series>),
    Scalar(Sample),
    String((f64, String)),
}

pub fn series(body: &str) -> Result<Vec<Series>, Reason> {
    match data(body)? {
        WireResult::Vector(all) | WireResult::Matrix(all) => Ok(all),
        WireResult::Scalar(Sample(at, value)) => {
            Ok(vec![Series { labels: Labels::new(), samples: vec![(at, value)] }])
        }
        WireResult::String((_, text)) => Err(Reason::Text(text)),
    }
}

#[cfg(test)]
mod tests;
