//! Alerts that must fire and whose notifications must be inhibited.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::context::Context;
use crate::rule;
use crate::timing::bounds::{self, DELIVERY};
use crate::timing::clock::Deadline;
use alerting::routing::tree::Routing;
use clients::prometheus::{Labels, Outgoing};

const POLL: Duration = Duration::from_millis(500);

/// Waits until Alertmanager inhibits each of these alerts; returns those for which that did not happen, and why.
pub async fn seen(context: &Context<'_>, scrape: Duration) -> Option<String> {
    let wanted: Vec<&str> = context.drill.expect.inhibited.iter().map(|it| it.value.as_str()).collect();
    if wanted.is_empty() {
        return None;
    }
    let deadline = Deadline::within(patience(context, &wanted, scrape).await);
    loop {
        let passed = deadline.passed();
        let held =
            context.log.queried("inhibited", context.systems.alertmanager.alerts().await).unwrap_or_default();
        let inhibited = |name: &str| {
            held.iter().any(|alert| {
                alert.labels.get("alertname").is_some_and(|it| it == name) && !alert.inhibited_by.is_empty()
            })
        };
        let missing: Vec<_> = wanted.iter().copied().filter(|name| !inhibited(name)).collect();
        if missing.is_empty() {
            context.log.note(Timestamp::now(), format!("Alertmanager inhibits {}", wanted.join(", ")));
            return None;
        }
        context.log.waiting(&format!("{} to fire and be inhibited", missing.join(", ")));
        if passed {
            let fires = |name: &&str| {
                held.iter().any(|alert| alert.labels.get("alertname").is_some_and(|it| it == *name))
            };
            let (free, absent): (Vec<_>, Vec<_>) = missing.into_iter().partition(fires);
            return Some(match (free.is_empty(), absent.is_empty()) {
                (false, _) => format!(
                    "{} fired and was not inhibited: check that an inhibit rule matches both alerts",
                    free.join(", ")
                ),
                _ => format!("{} was expected to fire and be inhibited, but did not fire", absent.join(", ")),
            });
        }
        sleep(POLL).await;
    }
}

/// After recovery: waits until each alert has resolved and its group could have sent stale notifications.
pub async fn over(context: &Context<'_>, scrape: Duration, outgoing: &Outgoing) {
    let wanted: Vec<&str> = context.drill.expect.inhibited.iter().map(|it| it.value.as_str()).collect();
    if wanted.is_empty() {
        return;
    }
    let deadline = Deadline::within(patience(context, &wanted, scrape).await);
    let mut quiet_since = None;
    let interval = intervals(context, &wanted, outgoing).await + DELIVERY;
    loop {
        let rules =
            context.log.queried("rules", context.systems.prometheus.rules().await).unwrap_or_default();
        let active = rules.iter().flat_map(|group| &group.rules).any(|rule| {
            wanted.contains(&rule.name.as_str())
                && rule.alerting.as_ref().is_some_and(|alerting| !alerting.alerts.is_empty())
        });
        if active || rules.is_empty() {
            quiet_since = None;
        } else {
            let since = *quiet_since.get_or_insert_with(tokio::time::Instant::now);
            if since.elapsed() >= interval {
                return;
            }
        }
        if quiet_since.is_none() && deadline.passed() {
            return; // the next drill reports that it is still active; its notifications were seen
        }
        context.log.waiting("possible stale notifications");
        sleep(POLL).await;
    }
}

/// How long the slowest of these alerts may take to fire or to resolve.
async fn patience(context: &Context<'_>, names: &[&str], scrape: Duration) -> Duration {
    let rules = context.systems.prometheus.rules().await.unwrap_or_default();
    let of = |name: &str| {
        let (group, rule, alerting) = rule::find(&rules, name, &Labels::new()).ok()?;
        Some(rule::falls(&rules, rule) + scrape + group.interval * 2 + alerting.hold + alerting.keep_firing)
    };
    bounds::patience(names.iter().filter_map(|name| of(name)).max().unwrap_or_default())
}

/// The longest GI of the alerts' routes.
async fn intervals(context: &Context<'_>, names: &[&str], outgoing: &Outgoing) -> Duration {
    let rules = context.systems.prometheus.rules().await.unwrap_or_default();
    let config = context.systems.alertmanager.config().await.unwrap_or_default();
    let Ok(routing) = Routing::parse(&config) else { return Duration::ZERO };
    let of = |name: &&str| {
        let (_, _, alerting) = rule::find(&rules, name, &Labels::new()).ok()?;
        let mut labels = alerting.labels.clone();
        labels.insert("alertname".into(), (*name).to_owned());
        routing.of(&outgoing.of(&labels)).into_iter().map(|route| route.group_interval).max()
    };
    names.iter().filter_map(of).max().unwrap_or_default()
}
