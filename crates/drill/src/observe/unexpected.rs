//! Alerts and notifications that nothing in the drill explains.

use crate::observe::watch::Watch;
use crate::record::event::Event;
use jiff::Timestamp;

use crate::context::Context;
use crate::evidence::activation::alert_labels;
use crate::observe::delivery::{self, Wanted};
use crate::observe::duplicates;
use crate::observe::grouping;
use crate::record::event::Unexpected;
use crate::rule::covers;
use crate::timing::clock;
use clients::inbox::Channel;
use clients::inbox::NotifiedAlert;

/// Records every alert that fired and every notification that arrived since `since` without an explanation in the drill. If
/// a query fails here, such events may have been missed, so the failure counts as a gap.
pub async fn collect(context: &Context<'_>, mut watch: Watch<'_>) {
    let (since, began) = (watch.since, watch.began);
    let rule_under_test = watch.expectation.rule_under_test.clone();
    let rule_under_test = rule_under_test.as_ref();
    let range = (clock::seconds(since, Timestamp::now()).ceil().max(0.0) as u64) + 1;
    let result = context.systems.prometheus.query(&format!("ALERTS[{range}s]"), None).await;
    let named = |list: &[serde_saphyr::Spanned<String>], name: &str| list.iter().any(|it| it.value == name);
    let (also, silent) = (&context.drill.expect.also, &context.drill.expect.silent);
    for series in context.log.queried("every ALERTS", result).iter().flatten() {
        let labels = alert_labels(&series.labels);
        let name = labels.get("alertname").cloned().unwrap_or_default();
        let state = series.labels.get("alertstate").map_or("", String::as_str);
        let Some((at, _)) = series.samples.iter().find(|(at, _)| *at >= since) else { continue };
        if rule_under_test.is_some_and(|rule| rule.owns(&labels)) {
            continue;
        }
        let reason = context.suite.ambient(&name);
        if named(&context.drill.expect.inhibited, &name) {
            context.log.note(*at, format!("{name} {state} (expected to be inhibited)"));
        } else if state == "firing" && reason.is_none() && !named(also, &name) {
            let named_silent = named(silent, &name);
            context.log.append(Event::Unexpected(Unexpected {
                at: *at,
                alert: name,
                how: "fired".into(),
                named_silent,
            }));
        } else {
            let why = reason.map_or(String::new(), |reason| format!(" (ambient: {reason})"));
            context.log.note(*at, format!("{name} {state}{why}"));
        }
    }
    let rules = context.log.queried("rules", context.systems.prometheus.rules().await);
    watch.arrivals.settle(rules.as_deref().unwrap_or_default());
    let (arrived, naming) = (watch.arrivals.all(), watch.arrivals.naming());
    // On a channel that the drill does not name, its own alert is unexpected, too: a warning that pages somebody. In a
    // drill of the heartbeat, the alert itself arrives once Alertmanager runs again.
    let delivered = &context.drill.expect.delivered;
    let meant = |channel: &str| {
        delivered.iter().any(|expected| expected.name() == channel || *expected == Channel::Heartbeat)
    };
    let explained = |channel: &str, alert: &NotifiedAlert| {
        let own = rule_under_test.is_some_and(|rule| {
            let text = alert.labels.is_empty() && !naming.is_of_another(alert, &rule.known);
            alert.alert == rule.alert && (text || covers(&alert.labels, &rule.wanted))
        });
        (own && meant(channel)) || named(also, &alert.alert) || context.suite.ambient(&alert.alert).is_some()
    };
    if let (Some(labels), Some(firing), Some(cause)) = (&watch.seen.labels, watch.seen.firing, watch.cause())
        && !context.drill.proves.stops
    {
        let fingerprint = watch.seen.fingerprint.as_deref();
        let wanted = Wanted { labels, fingerprint, firing, naming };
        let routes = watch.expectation.routes.iter();
        let rules = duplicates::Rules {
            copies: &watch.expectation.copies,
            repeat_interval: routes.map(|route| route.repeat_interval).min().unwrap_or_default(),
            only_one: watch.seen.activations.iter().all(|activation| activation.labels == *labels),
        };
        let mut found = duplicates::duplicates(arrived, &wanted, cause, &rules);
        if let Some(labels) = &context.drill.expect.grouped_by {
            found.extend(grouping::other(arrived, &wanted, cause, labels));
        }
        for (at, how) in found {
            let alert = labels.get("alertname").cloned().unwrap_or_default();
            context.log.append(Event::Unexpected(Unexpected { at, alert, how, named_silent: false }));
        }
    }
    let inhibited = |alert: &NotifiedAlert| named(&context.drill.expect.inhibited, &alert.alert);
    for (at, channel, alert) in delivery::unexplained(arrived, began, explained, inhibited) {
        let named_silent = named(silent, &alert) || named(&context.drill.expect.inhibited, &alert);
        context.log.append(Event::Unexpected(Unexpected {
            at,
            alert,
            how: format!("arrived at {channel}"),
            named_silent,
        }));
    }
}
