//! Collects what explains a verdict: the rule's value during the drill, metrics without series, the alert's state in
//! Alertmanager.

use crate::evidence::held::Held;
use crate::evidence::held::Receiver;
use crate::evidence::value::Evidence;
use crate::evidence::value::Value;
use std::time::Duration;

use jiff::Timestamp;

use crate::evidence::activation::alert_labels;
use crate::rule::graph::Selector;
use crate::rule::{RuleUnderTest, covers};
use crate::timing::clock;
use alerting::routing::tree::{Route, Routing};
use clients::SystemError;
use clients::alertmanager::{Alertmanagers, HeldAlert};
use clients::backend::Backend;
use clients::prometheus::{Labels, RuleGroup};

/// The largest number of points queried for a value.
const POINTS: f64 = 240.0;

/// Queries Prometheus for the evidence between two timestamps.
///
/// # Errors
/// Prometheus does not respond, or its response cannot be read.
pub async fn gather(
    prometheus: &Backend,
    rule_under_test: &RuleUnderTest,
    start: Timestamp,
    end: Timestamp,
) -> Result<Evidence, SystemError> {
    let length = clock::seconds(start, end).max(1.0);
    let step =
        Duration::from_secs_f64((length / POINTS).max(rule_under_test.evaluation.as_secs_f64()).max(0.25));
    let expr = rule_under_test
        .threshold
        .as_ref()
        .map_or(rule_under_test.query.as_str(), |threshold| threshold.left.as_str());
    let series = prometheus.query_range(expr, start, end, step).await?;
    let value = Value::of(expr, rule_under_test.threshold.as_ref(), &series);
    let window = Duration::from_secs_f64(length.ceil());
    let (mut unknown_metrics, mut unmatched) = (Vec::new(), Vec::new());
    for Selector { metric, text, .. } in &rule_under_test.sources.selectors {
        if !exists(prometheus, &format!("{{__name__={metric:?}}}"), window, end).await? {
            unknown_metrics.push(metric.clone());
        } else if !exists(prometheus, text, window, end).await? {
            unmatched.push(format!("`{text}`"));
        }
    }
    unknown_metrics.dedup();
    let rules = prometheus.rules().await?;
    let unlike = unlike(prometheus, rule_under_test, &rules, window, end).await?;
    let rule_error = rule_under_test
        .loaded(&rules)
        .map_or_else(|| "the rule is no longer loaded".to_owned(), |(rule, _)| rule.last_error.clone());
    let mut holds = Vec::new();
    if rule_under_test.offset_unknown.contains(&rule_under_test.group) {
        let found = prometheus.query_range(&rule_under_test.query, start, end, step).await?;
        holds = found.iter().flat_map(|series| &series.samples).map(|(at, _)| *at).collect();
        holds.sort_unstable();
        holds.dedup();
    }
    Ok(Evidence { value, unknown_metrics, unmatched, rule_error, unlike, holds })
}

/// Active alerts of the rule that lack the labels the drill demands.
async fn unlike(
    prometheus: &Backend,
    rule_under_test: &RuleUnderTest,
    rules: &[RuleGroup],
    window: Duration,
    end: Timestamp,
) -> Result<Vec<Labels>, SystemError> {
    let Some((_, alerting)) = rule_under_test.loaded(rules) else { return Ok(Vec::new()) };
    // Another rule that shares the name has other labels of its own; its alerts are excluded.
    let mut own = alerting.labels.clone();
    own.retain(|_, value| !value.contains("{{"));
    let query =
        format!("ALERTS{{alertname={:?}}}[{}]", rule_under_test.alert, common::duration::format(window));
    let history = prometheus.query(&query, Some(end)).await?;
    let mut found: Vec<_> = history.iter().map(|series| alert_labels(&series.labels)).collect();
    found.retain(|labels| covers(labels, &own) && !rule_under_test.owns(labels));
    found.sort();
    found.dedup();
    Ok(found)
}

async fn exists(
    prometheus: &Backend,
    selector: &str,
    window: Duration,
    end: Timestamp,
) -> Result<bool, SystemError> {
    let window = common::duration::format(window);
    let found = prometheus.query(&format!("count(last_over_time({selector}[{window}]))"), Some(end)).await?;
    Ok(!found.is_empty())
}

/// Queries the state of the alert with these labels; `None` when Alertmanager does not have it.
///
/// # Errors
/// Alertmanager does not respond, or its response cannot be read.
pub async fn held(alertmanager: &Alertmanagers, labels: &Labels) -> Result<Option<Held>, SystemError> {
    let (alerts, silences) = tokio::join!(alertmanager.alerts(), alertmanager.silences());
    let (alerts, silences) = (alerts?, silences?);
    let Some(alert) = alerts.iter().find(|alert| covers(&alert.labels, labels)) else { return Ok(None) };
    let config = alertmanager.config().await?;
    // If the configuration cannot be read, the kinds stay unknown; the receivers' names are known anyway.
    let routing = Routing::parse(&config).ok();
    let kinds = |name: &str| routing.as_ref().and_then(|routing| routing.kinds(name)).map(<[String]>::to_vec);
    let silenced_by = alert.silenced_by.iter().map(|id| {
        let comment =
            silences.iter().find(|silence| silence.id == *id).map(|silence| silence.comment.as_str());
        comment.map_or_else(|| id.clone(), |comment| format!("{id} ({comment})"))
    });
    let muted = |routing: &Routing| {
        let why = |route: &&Route| {
            let muted = routing.mute_reason(route, Timestamp::now()).ok().flatten()?;
            Some(format!("the route to receiver `{}` is {muted}", route.receiver))
        };
        routing.of(&alert.labels).iter().filter_map(why).collect()
    };
    Ok(Some(Held {
        muted_by: routing.as_ref().map(muted).unwrap_or_default(),
        state: alert.state.clone(),
        silenced_by: silenced_by.collect(),
        inhibited_by: alert.inhibited_by.iter().map(|print| name_of(&alerts, print)).collect(),
        receivers: alert
            .receivers
            .iter()
            .map(|name| Receiver { name: name.clone(), kinds: kinds(name) })
            .collect(),
    }))
}

fn name_of(alerts: &[HeldAlert], fingerprint: &str) -> String {
    let alert = alerts.iter().find(|alert| alert.fingerprint == fingerprint);
    alert.and_then(|alert| alert.labels.get("alertname")).cloned().unwrap_or_else(|| fingerprint.to_owned())
}
