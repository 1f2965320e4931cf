//! Other alerts sent by the same integrations as the drill's own. Where delivery is read from counters, their notifications
//! may be mistaken for the drill's: while they fire, and after they resolve until their all-clear must have been sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::evidence::count::integration;
use crate::timing::bounds::DELIVERY;
use crate::timing::clock::{self, time_of_day};
use alerting::routing::tree::{Route, Routing};
use clients::alertmanager::Sender;
use clients::inbox::Channel;
use clients::prometheus::Labels;

/// An alert that fired, as seen in Prometheus or Alertmanager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Labels of the alert.
    pub labels: Labels,
    /// When it was last seen firing.
    pub last: Timestamp,
    /// E of its rule: how often a sample would appear.
    pub evaluation: Duration,
}

impl Seen {
    /// Until when the alert may still be firing: two evaluations, in case one is late.
    fn resolved_by(&self) -> Timestamp {
        clock::after(self.last, self.evaluation * 2)
    }
}

/// Another alert whose notifications go through a sender that is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherAlert {
    /// Name of the alert.
    pub alert: String,
    /// The integration through which it is sent.
    pub integration: String,
    /// When it was last seen firing.
    pub last: Timestamp,
    /// The time from which it counts as resolved, unless it is seen firing again.
    pub resolved_by: Timestamp,
    /// The time from which no more notifications of it are expected, unless it is seen firing again: its all-clear is sent at
    /// most GI + D after it resolved.
    pub all_clear_by: Timestamp,
}

impl OtherAlert {
    fn words(&self) -> String {
        format!(
            "{} was firing at {} and is also sent by {}",
            self.alert,
            time_of_day(self.last),
            self.integration
        )
    }
}

/// The senders through which the alert with `own` labels reaches these channels; with `named`, per receiver.
#[must_use]
pub fn counted_senders(
    routing: &Routing,
    own: &Labels,
    channels: &[Channel],
    named: bool,
) -> BTreeSet<Sender> {
    let all: BTreeSet<Sender> =
        routing.of(own).into_iter().flat_map(|route| senders(routing, route, named)).collect();
    let kinds = all.iter().map(|sender| sender.integration.clone()).collect();
    let wanted: BTreeSet<&str> = channels.iter().map(|channel| integration(*channel, &kinds)).collect();
    all.into_iter().filter(|sender| wanted.contains(sender.integration.as_str())).collect()
}

fn senders(routing: &Routing, route: &Route, named: bool) -> Vec<Sender> {
    let receiver = named.then(|| route.receiver.clone());
    let kinds = routing.kinds(&route.receiver).unwrap_or_default();
    kinds.iter().map(|kind| Sender { integration: kind.clone(), receiver: receiver.clone() }).collect()
}

/// The alerts among `seen` that are sent by one of these senders, once for each of their routes.
#[must_use]
pub fn among(seen: &[Seen], routing: &Routing, counted: &BTreeSet<Sender>, named: bool) -> Vec<OtherAlert> {
    let mut found = Vec::new();
    for one in seen {
        for route in routing.of(&one.labels) {
            let shared = senders(routing, route, named).into_iter().filter(|sender| counted.contains(sender));
            found.extend(shared.map(|sender| OtherAlert {
                alert: one.labels.get("alertname").cloned().unwrap_or_default(),
                integration: sender.integration,
                last: one.last,
                resolved_by: one.resolved_by(),
                all_clear_by: clock::after(one.resolved_by(), route.group_interval + DELIVERY),
            }));
        }
    }
    found
}

/// What to do before the cause is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing interferes: continue.
    GoOn,
    /// Wait for this to happen.
    Wait(String),
    /// Refuse the drill for this reason: the interference does not end.
    Refuse(String),
}

/// Decides at `now`. Firing alerts may resolve until `resolve_over`; resolved ones may send their all-clear until `all_clear_over`.
#[must_use]
pub fn step(other_alerts: &[OtherAlert], now: Timestamp, resolve_over: bool, all_clear_over: bool) -> Step {
    let open: Vec<&OtherAlert> = other_alerts.iter().filter(|one| one.all_clear_by >= now).collect();
    let firing: Vec<&OtherAlert> = open.iter().copied().filter(|one| one.resolved_by >= now).collect();
    let Some(last) = open.iter().max_by_key(|one| one.all_clear_by) else { return Step::GoOn };
    if resolve_over && !firing.is_empty() {
        return Step::Refuse(reason(&firing));
    }
    if all_clear_over {
        return Step::Refuse(reason(&open));
    }
    Step::Wait(match firing.first() {
        Some(firing) => format!("{} to resolve", firing.alert),
        None => format!("the all-clear of {}, until {}", last.alert, time_of_day(last.all_clear_by)),
    })
}

/// Why the counters since `at` are unreliable, if so: each of these alerts may have been notified since.
#[must_use]
pub fn since(other_alerts: &[OtherAlert], at: Timestamp) -> Option<String> {
    let open: Vec<&OtherAlert> = other_alerts.iter().filter(|one| one.all_clear_by >= at).collect();
    (!open.is_empty()).then(|| reason(&open))
}

fn reason(other_alerts: &[&OtherAlert]) -> String {
    // Of alerts that share a name and an integration, the last is enough.
    let latest: BTreeMap<_, _> = {
        let mut sorted = other_alerts.to_vec();
        sorted.sort_by_key(|one| one.last);
        sorted.into_iter().map(|one| ((&one.alert, &one.integration), one.words())).collect()
    };
    format!(
        "{}; counters cannot tell alerts apart: route the alerts to an inbox, or start Alertmanager 0.28 or \
         newer with --enable-feature=receiver-name-in-metrics and give the alerts different receivers",
        latest.into_values().collect::<Vec<_>>().join("; ")
    )
}

#[cfg(test)]
#[path = "other_alerts_tests.rs"]
mod tests;
