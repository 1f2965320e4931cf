//! Quiet before a drill: no alert is active, and Alertmanager has forgotten the last activation of the drill's own.

use crate::error::DrillError;
use std::time::Duration;

use jiff::Timestamp;

use crate::context::Context;
use crate::evidence::activation::alert_labels;
use crate::rule::{RuleUnderTest, falls};
use crate::timing::bounds::{self, DELIVERY};
use crate::timing::clock::{self, Deadline, time_of_day};
use clients::prometheus::RuleGroup;
use common::duration;

/// Waits until only ambient alerts are active. `own` is the drill's alert, with its evaluation and scrape intervals. After
/// another drill, the alerts it caused are given the time they need to resolve.
///
/// # Errors
/// An alert that stays active.
pub async fn settled(
    context: &Context<'_>,
    own: &str,
    evaluation: Duration,
    scrape: Duration,
) -> Result<(), DrillError> {
    let mut deadline = None;
    loop {
        let rules = context.systems.prometheus.rules().await?;
        let loud = loud(&rules, |alert| context.suite.ambient(alert).is_some());
        let Some((alert, state, since, _)) = loud.first() else { return Ok(()) };
        let limit = if context.first {
            evaluation * 2 + Duration::from_secs(5)
        } else {
            loud.iter()
                .map(|(_, _, _, resolves)| bounds::patience(*resolves + scrape))
                .max()
                .unwrap_or_default()
        };
        if deadline.get_or_insert_with(|| Deadline::within(limit)).passed() {
            let since = time_of_day(*since);
            return Err(DrillError::Stack(if alert == own {
                format!(
                    "{alert} is already {state}, active since {since}: a drill must observe it from the start; wait until it has resolved"
                )
            } else {
                format!(
                    "{alert} is {state}, active since {since}: remove its cause, or list it as `ambient` in a suite file"
                )
            }));
        }
        let what = format!("{alert} to resolve");
        context.wait(&what).await;
    }
}

/// Active alerts that are not ambient: (name, state, since, how long the rule takes to resolve without S).
fn loud(groups: &[RuleGroup], ambient: impl Fn(&str) -> bool) -> Vec<(String, String, Timestamp, Duration)> {
    let mut loud = Vec::new();
    for group in groups {
        for rule in &group.rules {
            let Some(alerting) = rule.alerting.as_ref().filter(|_| !ambient(&rule.name)) else { continue };
            for alert in &alerting.alerts {
                let resolves = falls(groups, rule) + group.interval * 2 + alerting.keep_firing;
                loud.push((rule.name.clone(), alert.state.clone(), alert.active_at, resolves));
            }
        }
    }
    loud
}

/// Waits until Alertmanager has forgotten the alert's last activation, and returns whether there was one: a group that fires
/// again within GI sends no notification, since its receivers have it already. Alertmanager's API hides resolved alerts, so
/// the end is read from the alert's samples.
///
/// # Errors
/// Prometheus does not respond.
pub async fn forgotten(
    context: &Context<'_>,
    rule_under_test: &RuleUnderTest,
    interval: Duration,
) -> Result<bool, DrillError> {
    let forgotten = interval + DELIVERY + rule_under_test.evaluation + rule_under_test.query_offset;
    let query = format!(
        "ALERTS{{alertname={:?},alertstate=\"firing\"}}[{}]",
        rule_under_test.alert,
        duration::format(forgotten + Duration::from_secs(5))
    );
    let history = context.systems.prometheus.query(&query, None).await?;
    let own = history.iter().filter(|series| rule_under_test.owns(&alert_labels(&series.labels)));
    let Some(last) = own.flat_map(|series| &series.samples).map(|(at, _)| *at).max() else {
        return Ok(false);
    };
    let deadline = Deadline::after(last, forgotten);
    let what = format!(
        "Alertmanager to forget {}, which last fired at {}",
        rule_under_test.alert,
        time_of_day(last)
    );
    while !deadline.passed() {
        context.wait(&what).await;
    }
    context.log.note(
        clock::after(last, rule_under_test.evaluation),
        format!("{} resolved before this drill", rule_under_test.alert),
    );
    Ok(true)
}
