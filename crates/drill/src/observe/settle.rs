//! The bounds of a drill once its alert fires.

use std::time::Duration;

use crate::context::Context;
use crate::evidence::activation::alert_labels;
use crate::observe::offsets;
use crate::observe::watch::Watch;
use crate::record::event::Event;
use crate::timing::clock;
use alerting::routing::tree::Routing;
use common::duration;

/// How long a group outlives its last firing alert, in addition to GI. Prometheus keeps sending a resolved alert for 15
/// minutes, which puts it back into its group each time, and Alertmanager removes empty groups every 30 s; neither can be
/// configured. An alert that joins such a group waits for GI instead of GW.
const GROUP_OUTLIVES: Duration = Duration::from_secs(15 * 60 + 30);

/// Once the alert fires, recomputes the bounds from the routes of its real labels, from whether Alertmanager had its group
/// already, and from the query offsets that samples show by now.
pub async fn bounds(context: &Context<'_>, watch: &mut Watch<'_>) {
    let (Some(labels), Some(firing)) = (watch.seen.labels.clone(), watch.seen.firing) else { return };
    let systems = context.systems;
    if let Some(before) = &watch.expectation.rule_under_test
        && let Some(rule_under_test) = offsets::again(context, before).await
    {
        watch.expectation.rule_under_test = Some(rule_under_test);
    }
    let config = context.log.queried("config", systems.alertmanager.config().await);
    let Some(routing) = config.and_then(|config| Routing::parse(&config).ok()) else { return };
    let (before, scrape) = (watch.expectation.clone(), watch.expectation.scrape());
    let routed = |exists| before.clone().routed(&routing, &labels, scrape, context.drill, exists);
    let mut expectation = routed(false);
    let inputs = expectation.inputs.unwrap_or_default();
    let window = duration::format(expectation.group_interval() + GROUP_OUTLIVES + inputs.evaluation);
    // Just before its own first sample as firing.
    let early = inputs.query_offset + inputs.stamped_early;
    let just_before = clock::before(firing, early + Duration::from_millis(1));
    let query = format!("ALERTS{{alertstate=\"firing\"}}[{window}]");
    let history = context.log.queried("group", systems.prometheus.query(&query, Some(just_before)).await);
    let exists = history.iter().flatten().any(|series| {
        let other = alert_labels(&series.labels);
        expectation.routes.iter().any(|route| route.groups_together(&labels, &other))
    });
    if exists {
        expectation = routed(true);
        let waits =
            "Alertmanager may still have the alert's group: its next notification waits for group_interval";
        context.log.note(firing, waits);
    }
    context.log.append(Event::Expected(Box::new(expectation.clone())));
    watch.expectation = expectation;
}
