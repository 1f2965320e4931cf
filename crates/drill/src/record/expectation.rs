//! What a drill expects of the systems it found: preflight's result.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::file::drill::Drill;
use crate::rule::Subject;
use crate::timing::bounds::{self, Bounds, DELIVERY, Inputs};
use alerting::routing::tree::{Route, Routing};
use clients::inbox::Channel;
use clients::prometheus::{Labels, Outgoing};

/// What is expected, and what that was worked out from.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// Whether there is no inbox: delivery is counted by Alertmanager, not seen.
    pub counted: bool,
    /// Channels the notification must arrive on.
    pub channels: Vec<Channel>,
    /// For a negative control: how long nothing may fire.
    pub quiet: Option<Duration>,
    /// The rule, once read.
    pub subject: Option<Subject>,
    /// Jobs whose targets the rule reads; empty for all.
    pub jobs: BTreeSet<String>,
    /// What Prometheus does to the alert's labels when it sends it.
    pub outgoing: Outgoing,
    /// After how long the inbox misses the heartbeat, where that is what is expected.
    pub heartbeat_limit: Option<Duration>,
    /// Routes the alert takes.
    pub routes: Vec<Route>,
    /// How many copies of a notification each channel may receive at most: one for each configuration of the receivers.
    pub copies: BTreeMap<Channel, usize>,
    /// What the bounds were computed from.
    pub inputs: Option<Inputs>,
    /// The bounds.
    pub bounds: Option<Bounds>,
}

impl Expectation {
    /// With routes, inputs and bounds of an alert of these labels, before Prometheus adds its own; `group_exists` as in
    /// [`Inputs`].
    #[must_use]
    pub fn routed(
        self,
        routing: &Routing,
        labels: &Labels,
        scrape: Duration,
        drill: &Drill,
        group_exists: bool,
    ) -> Self {
        let Some(subject) = &self.subject else { return self };
        let routes: Vec<Route> = routing.of(&self.outgoing.of(labels)).into_iter().cloned().collect();
        let longest = |of: fn(&Route) -> Duration| routes.iter().map(of).max().unwrap_or_default();
        let threshold = subject.threshold.as_ref().filter(|threshold| threshold.operator.starts_with('>'));
        let rise = threshold.zip(drill.cause.share.as_ref());
        let rise = rise.map(|(threshold, share)| bounds::rise(threshold.value, share.value.0));
        let inputs = Inputs {
            scrape,
            evaluation: subject.evaluation,
            rising: subject.sources.longest(|path| bounds::filled(path, rise) + path.rise),
            falling: subject.sources.longest(|path| path.lookback + path.fall),
            hold: subject.hold,
            keep_firing: subject.keep_firing,
            rise,
            ordered: self.inputs.map_or(Duration::ZERO, |inputs| inputs.ordered),
            group_wait: longest(|route| route.group_wait),
            group_interval: longest(|route| route.group_interval),
            group_exists,
        };
        let mut bounds = bounds::compute(&inputs);
        if let Some(limit) = self.heartbeat_limit {
            // The heartbeat goes by its own clock: missed after the limit, back within it.
            bounds.notified = bounds.notified.max(limit + DELIVERY);
            bounds.all_clear = bounds.all_clear.max(limit + DELIVERY);
        }
        let copies = copies(routing, &routes);
        Self { routes, copies, inputs: Some(inputs), bounds: Some(bounds), ..self }
    }

    /// After the cause's orders, which took this long to carry out.
    #[must_use]
    pub fn ordered(self, ordered: Duration) -> Self {
        let inputs = self.inputs.map(|inputs| Inputs { ordered, ..inputs });
        let bounds = self.bounds.map(|bounds| Bounds { pending: bounds.pending + ordered, ..bounds });
        Self { inputs, bounds, ..self }
    }

    /// The longest GI of its routes.
    #[must_use]
    pub fn group_interval(&self) -> Duration {
        self.inputs.map_or(Duration::ZERO, |inputs| inputs.group_interval)
    }

    /// S, where the alert's targets are known.
    #[must_use]
    pub fn scrape(&self) -> Duration {
        let evaluation = || self.subject.as_ref().map_or(Duration::ZERO, |subject| subject.evaluation);
        self.inputs.map_or_else(evaluation, |inputs| inputs.scrape)
    }
}

/// A receiver that several routes lead to counts once: what it gets twice is a duplicate.
fn copies(routing: &Routing, routes: &[Route]) -> BTreeMap<Channel, usize> {
    let receivers: BTreeSet<&String> = routes.iter().map(|route| &route.receiver).collect();
    let kinds: Vec<&String> =
        receivers.into_iter().filter_map(|name| routing.kinds(name)).flatten().collect();
    let of = |channel: Channel| {
        let leads = |kind: &&&String| {
            // Discord takes Slack's bodies, too.
            kind.as_str() == channel.name() || (channel == Channel::Discord && kind.as_str() == "slack")
        };
        (channel, kinds.iter().filter(leads).count())
    };
    Channel::ALL.into_iter().map(of).collect()
}
