//! What is expected, for an alert of known labels.

use std::time::Duration;

use crate::file::drill::Drill;
use crate::record::Record;
use crate::rule::Subject;
use crate::timing::bounds::{self, DELIVERY, Inputs};
use alerting::routing::tree::Routing;
use clients::prometheus::Labels;

/// Sets routes, inputs and bounds for an alert of these labels, before Prometheus adds its own; `group_exists` as in [`Inputs`].
pub fn plan(
    record: &mut Record,
    routing: &Routing,
    subject: &Subject,
    labels: &Labels,
    scrape: Duration,
    drill: &Drill,
    group_exists: bool,
) {
    record.routes = routing.of(&record.outgoing.of(labels)).into_iter().cloned().collect();
    let longest = |of: fn(&alerting::routing::tree::Route) -> Duration| {
        record.routes.iter().map(of).max().unwrap_or_default()
    };
    let threshold = subject.threshold.as_ref().filter(|threshold| threshold.operator.starts_with('>'));
    let rise = threshold.zip(drill.cause.share.as_ref());
    let inputs = Inputs {
        scrape,
        evaluation: subject.evaluation,
        widest: subject.widest,
        hold: subject.hold,
        keep_firing: subject.keep_firing,
        rise: rise.map(|(threshold, share)| bounds::rise(threshold.value, share.value.0)),
        ordered: record.inputs.map_or(Duration::ZERO, |inputs| inputs.ordered),
        group_wait: longest(|route| route.group_wait),
        group_interval: longest(|route| route.group_interval),
        group_exists,
    };
    let mut bounds = bounds::compute(&inputs);
    if let Some(limit) = record.heartbeat_limit {
        // The heartbeat goes by its own clock: missed after the limit, back within it.
        bounds.notified = bounds.notified.max(limit + DELIVERY);
        bounds.told = bounds.told.max(limit + DELIVERY);
    }
    record.bounds = Some(bounds);
    record.inputs = Some(inputs);
}
