//! Other alerts that go out by the same way as the drill's own: where delivery is counted, not seen, what is counted may
//! be theirs. One that fires is in the way, and so is one that has resolved, for as long as its end may be told.

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

/// An alert that fired, as its witness saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its labels.
    pub labels: Labels,
    /// When it was last seen firing.
    pub last: Timestamp,
    /// How often it would be seen: E of its rule.
    pub evaluation: Duration,
}

impl Seen {
    /// Until when it may still be firing: two evaluations bridge one that is late.
    fn resolved_by(&self) -> Timestamp {
        clock::after(self.last, self.evaluation * 2)
    }
}

/// An alert that goes out by a sender whose notifications are counted for another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bystander {
    /// `alertname`.
    pub alert: String,
    /// Alertmanager's name for the way it goes.
    pub integration: String,
    /// When it was last seen firing.
    pub last: Timestamp,
    /// From then on, unless it is seen firing again, it has resolved.
    pub resolved_by: Timestamp,
    /// From then on, unless it is seen firing again, nothing is sent of it any more: its end is told GI + D after it at
    /// the latest.
    pub all_clear_by: Timestamp,
}

impl Bystander {
    fn words(&self) -> String {
        format!(
            "{}, firing at {}, goes out by {} as well",
            self.alert,
            time_of_day(self.last),
            self.integration
        )
    }
}

/// The senders by which the alert of `own` labels is to reach these channels; receivers are told apart when `named`.
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

/// Those of the alerts seen that go out by one of these senders, by each of their routes.
#[must_use]
pub fn among(seen: &[Seen], routing: &Routing, counted: &BTreeSet<Sender>, named: bool) -> Vec<Bystander> {
    let mut found = Vec::new();
    for one in seen {
        for route in routing.of(&one.labels) {
            let shared = senders(routing, route, named).into_iter().filter(|sender| counted.contains(sender));
            found.extend(shared.map(|sender| Bystander {
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

/// What to do before the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is in the way.
    GoOn,
    /// Wait for this.
    Wait(String),
    /// It does not end: refuse, for this reason.
    Refuse(String),
}

/// Decides at `now`. What fires is given time to resolve until `resolve_over`, the ends of what has resolved time to be
/// told until `tell_over`.
#[must_use]
pub fn step(bystanders: &[Bystander], now: Timestamp, resolve_over: bool, tell_over: bool) -> Step {
    let open: Vec<&Bystander> = bystanders.iter().filter(|one| one.all_clear_by >= now).collect();
    let firing: Vec<&Bystander> = open.iter().copied().filter(|one| one.resolved_by >= now).collect();
    let Some(last) = open.iter().max_by_key(|one| one.all_clear_by) else { return Step::GoOn };
    if resolve_over && !firing.is_empty() {
        return Step::Refuse(reason(&firing));
    }
    if tell_over {
        return Step::Refuse(reason(&open));
    }
    Step::Wait(match firing.first() {
        Some(firing) => format!("{} to resolve", firing.alert),
        None => format!("the all-clear of {}, until {}", last.alert, time_of_day(last.all_clear_by)),
    })
}

/// Why a count since `at` says nothing, if so: each of these may have been told of at that time or later.
#[must_use]
pub fn since(bystanders: &[Bystander], at: Timestamp) -> Option<String> {
    let open: Vec<&Bystander> = bystanders.iter().filter(|one| one.all_clear_by >= at).collect();
    (!open.is_empty()).then(|| reason(&open))
}

fn reason(bystanders: &[&Bystander]) -> String {
    // Of several of one name that go the same way, the last says enough.
    let latest: BTreeMap<_, _> = {
        let mut sorted = bystanders.to_vec();
        sorted.sort_by_key(|one| one.last);
        sorted.into_iter().map(|one| ((&one.alert, &one.integration), one.words())).collect()
    };
    format!(
        "{}, and a count does not say of which alert it is: lead the route to an inbox, or start Alertmanager 0.28 or \
         newer with --enable-feature=receiver-name-in-metrics and give the alerts different receivers",
        latest.into_values().collect::<Vec<_>>().join("; ")
    )
}

#[cfg(test)]
#[path = "bystanders_tests.rs"]
mod tests;
