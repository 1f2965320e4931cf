//! What a drill expects of the running systems: the result of preflight.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::file::drill::Drill;
use crate::rule::RuleUnderTest;
use crate::rule::graph::Sources;
use crate::timing::bounds::{self, Bounds, DELIVERY, Inputs};
use crate::timing::path::Path;
use alerting::routing::tree::{Route, Routing};
use clients::inbox::Channel;
use clients::prometheus::{Labels, Outgoing};

/// What is expected, and the configuration it was computed from.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// Whether there is no inbox and delivery is read from Alertmanager's counters.
    pub counted: bool,
    /// Channels on which the notification must arrive.
    pub channels: Vec<Channel>,
    /// For a negative control: how long nothing may fire.
    pub quiet: Option<Duration>,
    /// The rule under test, once read.
    pub rule_under_test: Option<RuleUnderTest>,
    /// Jobs whose targets the rule reads; empty for all jobs.
    pub jobs: BTreeSet<String>,
    /// Changes Prometheus makes to the labels of alerts it sends.
    pub outgoing: Outgoing,
    /// For a drill of the heartbeat: the time after which the inbox reports it missing.
    pub heartbeat_limit: Option<Duration>,
    /// Why the rule may have no result now and then: a range of it is short for its samples.
    pub short_range: Option<String>,
    /// The longest wait of an Alertmanager for the others of its cluster.
    pub peer_wait: Duration,
    /// Routes of the alert.
    pub routes: Vec<Route>,
    /// The largest number of copies of a notification on each channel: one per matching configuration of the receivers.
    pub copies: BTreeMap<Channel, usize>,
    /// The configuration from which the bounds were computed.
    pub inputs: Option<Inputs>,
    /// The bounds.
    pub bounds: Option<Bounds>,
}

impl Expectation {
    /// Adds routes, inputs and bounds for an alert with these labels (without those that Prometheus adds). For
    /// `group_exists` see [`Inputs`].
    #[must_use]
    pub fn routed(
        self,
        routing: &Routing,
        labels: &Labels,
        scrape: Duration,
        drill: &Drill,
        group_exists: bool,
    ) -> Self {
        let Some(rule_under_test) = &self.rule_under_test else { return self };
        let routes: Vec<Route> = routing.of(&self.outgoing.of(labels)).into_iter().cloned().collect();
        let longest = |of: fn(&Route) -> Duration| routes.iter().map(of).max().unwrap_or_default();
        let threshold =
            rule_under_test.threshold.as_ref().filter(|threshold| threshold.operator.starts_with('>'));
        let rise = threshold.zip(drill.cause.share.as_ref());
        let rise = rise.map(|(threshold, share)| bounds::rise(threshold.value, share.value.0));
        let offset = rule_under_test.query_offset;
        let (rising, falling) = slowest(&rule_under_test.sources, rise, offset);
        let inputs = Inputs {
            scrape,
            evaluation: rule_under_test.evaluation,
            rising,
            falling,
            query_offset: offset,
            stamped_early: rule_under_test.stamped_early,
            peer_wait: self.peer_wait,
            hold: rule_under_test.hold,
            keep_firing: rule_under_test.keep_firing,
            rise,
            ordered: self.inputs.map_or(Duration::ZERO, |inputs| inputs.ordered),
            group_wait: longest(|route| route.group_wait),
            group_interval: longest(|route| route.group_interval),
            group_exists,
        };
        let copies = copies(routing, &routes);
        Self { routes, copies, inputs: Some(inputs), ..self }.bounded()
    }

    /// Computes the bounds from the inputs.
    fn bounded(self) -> Self {
        let Some(inputs) = &self.inputs else { return self };
        let mut bounds = bounds::compute(inputs);
        if let Some(limit) = self.heartbeat_limit {
            // The inbox reports the heartbeat missing after the limit, and back within it.
            bounds.notified = bounds.notified.max(limit + DELIVERY);
            bounds.all_clear = bounds.all_clear.max(limit + DELIVERY);
        }
        Self { bounds: Some(bounds), ..self }
    }

    /// Adds the `query_offset` of the rule's group, once its samples have shown it.
    #[must_use]
    pub fn offset(mut self, offset: Duration) -> Self {
        let Some(rule_under_test) = &mut self.rule_under_test else { return self };
        rule_under_test.query_offset = offset;
        let group = rule_under_test.group.clone();
        rule_under_test.offset_unknown.remove(&group);
        let sources = &rule_under_test.sources;
        self.inputs = self.inputs.map(|inputs| {
            let (rising, falling) = slowest(sources, inputs.rise, offset);
            Inputs { rising, falling, query_offset: offset, ..inputs }
        });
        self.bounded()
    }

    /// Adds the time the commands of the cause took.
    #[must_use]
    pub fn ordered(self, ordered: Duration) -> Self {
        let inputs = self.inputs.map(|inputs| Inputs { ordered, ..inputs });
        Self { inputs, ..self }.bounded()
    }

    /// The longest GI of the alert's routes.
    #[must_use]
    pub fn group_interval(&self) -> Duration {
        self.inputs.map_or(Duration::ZERO, |inputs| inputs.group_interval)
    }

    /// How much earlier than the event the timestamp of a sample may be.
    #[must_use]
    pub fn stamped_early(&self) -> Duration {
        self.rule_under_test.as_ref().map_or(Duration::ZERO, |rule| rule.stamped_early)
    }

    /// S; E while the alert's targets are not known.
    #[must_use]
    pub fn scrape(&self) -> Duration {
        let evaluation = || self.rule_under_test.as_ref().map_or(Duration::ZERO, |rule| rule.evaluation);
        self.inputs.map_or_else(evaluation, |inputs| inputs.scrape)
    }
}

/// The paths on which an alert starts and ends last, in a group with this `query_offset`.
fn slowest(sources: &Sources, rise: Option<f64>, offset: Duration) -> (Path, Path) {
    let behind = |path: &Path| path.behind.max(offset);
    (
        sources.longest(|path| bounds::filled(path, rise) + path.rise + behind(path)),
        sources.longest(|path| path.lookback + path.fall + behind(path)),
    )
}

/// A receiver of several routes counts once: a second notification to it is a duplicate.
fn copies(routing: &Routing, routes: &[Route]) -> BTreeMap<Channel, usize> {
    let receivers: BTreeSet<&String> = routes.iter().map(|route| &route.receiver).collect();
    let kinds: Vec<&String> =
        receivers.into_iter().filter_map(|name| routing.kinds(name)).flatten().collect();
    let of = |channel: Channel| {
        let leads = |kind: &&&String| {
            // Discord accepts Slack's format.
            kind.as_str() == channel.name() || (channel == Channel::Discord && kind.as_str() == "slack")
        };
        (channel, kinds.iter().filter(leads).count())
    };
    Channel::ALL.into_iter().map(of).collect()
}
