//! What explains a verdict: the rule's value through the drill, names that no series has, what Alertmanager did.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::evidence::activation::alert_labels;
use crate::file::drill::Channel;
use crate::rule::selectors::Selector;
use crate::rule::{Subject, covers};
use crate::timing::clock;
use alerting::routing::tree::{Route, Routing};
use clients::SystemError;
use clients::alertmanager::{Alertmanager, HeldAlert};
use clients::prometheus::{Labels, Prometheus, RuleGroup, Series};
use promql::Threshold;

/// Most points of a value that are asked for.
const POINTS: f64 = 240.0;

/// The left side of a rule's comparison through a drill.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Value {
    /// The expression queried.
    pub expr: String,
    /// `>`, `>=`, … `None` without a comparison.
    pub operator: Option<String>,
    /// The number on the right.
    pub threshold: Option<f64>,
    /// Of all series, the one nearest to tripping the rule, at each step.
    pub points: Vec<(Timestamp, f64)>,
}

impl Value {
    /// Of several series, what comes nearest to tripping the rule at each instant.
    #[must_use]
    pub fn of(expr: &str, threshold: Option<&Threshold>, series: &[Series]) -> Self {
        let operator = threshold.map(|threshold| threshold.operator.clone());
        let low = operator.as_deref().is_some_and(|operator| operator.starts_with('<'));
        let mut points = std::collections::BTreeMap::new();
        for (at, value) in
            series.iter().flat_map(|series| &series.samples).filter(|(_, value)| !value.is_nan())
        {
            let held = points.entry(*at).or_insert(*value);
            *held = if low { held.min(*value) } else { held.max(*value) };
        }
        Self {
            expr: expr.to_owned(),
            operator,
            threshold: threshold.map(|threshold| threshold.value),
            points: points.into_iter().collect(),
        }
    }

    /// The value nearest to tripping the rule, `None` when there was none.
    #[must_use]
    pub fn best(&self) -> Option<f64> {
        let values = self.points.iter().map(|(_, value)| *value);
        if self.operator.as_deref().is_some_and(|operator| operator.starts_with('<')) {
            values.reduce(f64::min)
        } else {
            values.reduce(f64::max)
        }
    }

    /// Whether some value met the comparison.
    #[must_use]
    pub fn crossed(&self) -> bool {
        let (Some(operator), Some(threshold)) = (self.operator.as_deref(), self.threshold) else {
            return false;
        };
        self.points.iter().any(|(_, value)| match operator {
            ">" => *value > threshold,
            ">=" => *value >= threshold,
            "<" => *value < threshold,
            "<=" => *value <= threshold,
            "==" => *value == threshold,
            _ => *value != threshold,
        })
    }
}

/// What Alertmanager did with the alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// `active`, `suppressed` or `unprocessed`.
    pub state: String,
    /// Silences covering it, with what their authors wrote.
    pub silenced_by: Vec<String>,
    /// Names of the alerts inhibiting it.
    pub inhibited_by: Vec<String>,
    /// Of routes it takes that send nothing at present: the receiver and why.
    pub muted_by: Vec<String>,
    /// Receivers its routes lead to.
    pub receivers: Vec<Receiver>,
}

/// A receiver and what it is configured to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// `webhook`, `slack`, …; `None` when the configuration does not define it.
    pub kinds: Option<Vec<String>>,
}

impl Receiver {
    /// Whether it sends on this channel.
    #[must_use]
    pub fn has(&self, channel: Channel) -> bool {
        let ways: &[&str] = match channel {
            Channel::Discord => &["discord", "slack"], // it takes Slack's bodies, too
            Channel::Heartbeat => &["webhook"],
            other => &[other.name()],
        };
        self.kinds.as_ref().is_some_and(|kinds| kinds.iter().any(|kind| ways.contains(&kind.as_str())))
    }
}

/// What explains a verdict.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// The rule's value.
    pub value: Value,
    /// Metrics of the expression that no series has.
    pub unknown_metrics: Vec<String>,
    /// Selectors that match nothing although their metric exists.
    pub unmatched: Vec<String>,
    /// The error of the rule's last evaluation.
    pub rule_error: String,
    /// Labels of alerts of this very rule that were active, but lacked what the drill demands.
    pub unlike: Vec<Labels>,
}

/// Asks Prometheus for the evidence between two instants.
///
/// # Errors
/// When it cannot be asked or understood.
pub async fn gather(
    prometheus: &Prometheus,
    subject: &Subject,
    start: Timestamp,
    end: Timestamp,
) -> Result<Evidence, SystemError> {
    let length = clock::seconds(start, end).max(1.0);
    let step = Duration::from_secs_f64((length / POINTS).max(subject.evaluation.as_secs_f64()).max(0.25));
    let expr = subject.threshold.as_ref().map_or(subject.query.as_str(), |threshold| threshold.left.as_str());
    let series = prometheus.query_range(expr, start, end, step).await?;
    let value = Value::of(expr, subject.threshold.as_ref(), &series);
    let window = Duration::from_secs_f64(length.ceil());
    let (mut unknown_metrics, mut unmatched) = (Vec::new(), Vec::new());
    for Selector { metric, text, .. } in &subject.selectors {
        if !exists(prometheus, &format!("{{__name__={metric:?}}}"), window, end).await? {
            unknown_metrics.push(metric.clone());
        } else if !exists(prometheus, text, window, end).await? {
            unmatched.push(format!("`{text}`"));
        }
    }
    unknown_metrics.dedup();
    let rules = prometheus.rules().await?;
    let unlike = unlike(prometheus, subject, &rules, window, end).await?;
    let rule_error = subject
        .rule(&rules)
        .map_or_else(|| "the rule is no longer loaded".to_owned(), |(rule, _)| rule.last_error.clone());
    Ok(Evidence { value, unknown_metrics, unmatched, rule_error, unlike })
}

/// Alerts of the rule that were active and are not those of the drill.
async fn unlike(
    prometheus: &Prometheus,
    subject: &Subject,
    rules: &[RuleGroup],
    window: Duration,
    end: Timestamp,
) -> Result<Vec<Labels>, SystemError> {
    let Some((_, alerting)) = subject.rule(rules) else { return Ok(Vec::new()) };
    // Of several rules of one name, those of the other have other labels of the rule's own.
    let mut own = alerting.labels.clone();
    own.retain(|_, value| !value.contains("{{"));
    let query = format!("ALERTS{{alertname={:?}}}[{}]", subject.alert, common::duration::format(window));
    let history = prometheus.query(&query, Some(end)).await?;
    let mut found: Vec<_> = history.iter().map(|series| alert_labels(&series.labels)).collect();
    found.retain(|labels| covers(labels, &own) && !subject.owns(labels));
    found.sort();
    found.dedup();
    Ok(found)
}

async fn exists(
    prometheus: &Prometheus,
    selector: &str,
    window: Duration,
    end: Timestamp,
) -> Result<bool, SystemError> {
    let window = common::duration::format(window);
    let found = prometheus.query(&format!("count(last_over_time({selector}[{window}]))"), Some(end)).await?;
    Ok(!found.is_empty())
}

/// Asks Alertmanager what it does with the alert of these labels; `None` when it does not hold it.
///
/// # Errors
/// When it cannot be asked or understood.
pub async fn held(alertmanager: &Alertmanager, labels: &Labels) -> Result<Option<Held>, SystemError> {
    let (alerts, silences) = tokio::join!(alertmanager.alerts(), alertmanager.silences());
    let (alerts, silences) = (alerts?, silences?);
    let Some(alert) = alerts.iter().find(|alert| covers(&alert.labels, labels)) else { return Ok(None) };
    let config = alertmanager.config().await?;
    // A configuration that cannot be read leaves the kinds open; the receivers' names are known all the same.
    let routing = Routing::parse(&config).ok();
    let kinds = |name: &str| routing.as_ref().and_then(|routing| routing.kinds(name)).map(<[String]>::to_vec);
    let silenced_by = alert.silenced_by.iter().map(|id| {
        let comment =
            silences.iter().find(|silence| silence.id == *id).map(|silence| silence.comment.as_str());
        comment.map_or_else(|| id.clone(), |comment| format!("{id} ({comment})"))
    });
    let muted = |routing: &Routing| {
        let why = |route: &&Route| {
            let muted = routing.muted(route, Timestamp::now()).ok().flatten()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn series(values: &[(i64, f64)]) -> Series {
        Series {
            labels: Labels::new(),
            samples: values.iter().map(|(time, value)| (at(*time), *value)).collect(),
        }
    }

    #[test]
    fn the_value_nearest_to_tripping_counts() {
        let all = [series(&[(0, 0.01), (1, f64::NAN), (2, 0.03)]), series(&[(0, 0.02), (1, 0.01)])];
        for (operator, value, points, best, crossed) in [
            (">", 0.02, [0.02, 0.01, 0.03], 0.03, true),
            (">", 0.03, [0.02, 0.01, 0.03], 0.03, false),
            (">=", 0.03, [0.02, 0.01, 0.03], 0.03, true),
            ("<", 0.01, [0.01, 0.01, 0.03], 0.01, false),
            ("<=", 0.01, [0.01, 0.01, 0.03], 0.01, true),
            ("==", 0.03, [0.02, 0.01, 0.03], 0.03, true),
            ("!=", 0.5, [0.02, 0.01, 0.03], 0.03, true),
        ] {
            let threshold = Threshold { left: "x".into(), operator: operator.into(), value };
            let seen = Value::of("x", Some(&threshold), &all);
            assert_eq!(seen.points.iter().map(|(_, value)| *value).collect::<Vec<_>>(), points, "{operator}");
            assert_eq!((seen.best(), seen.crossed()), (Some(best), crossed), "{operator} {value}");
        }
        assert_eq!(Value::of("x", None, &[series(&[(1, f64::NAN)])]).best(), None);
    }
}
