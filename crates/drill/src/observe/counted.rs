//! Delivery without an inbox: counted by Alertmanager, not seen. A count says neither of which alert it is nor whether
//! it tells of firing or of resolved; the order of things says so, as long as nothing else goes by the same way, which
//! [`crate::run::isolation`] sees to.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::file::drill::{Channel, Drill};
use crate::record::Record;
use alerting::routing::tree::Routing;
use clients::alertmanager::{Delivered, Sender};

/// What a verdict says of it.
pub const SAID: &str = "delivery was counted by Alertmanager, not seen";

/// Notifications that went out between two looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The later of the two.
    pub at: Timestamp,
    /// Who sent them.
    pub sender: Sender,
    /// How many.
    pub more: u64,
}

/// What was counted so far.
#[derive(Debug, Default)]
pub struct Counter {
    last: Option<Delivered>,
}

impl Counter {
    /// What has been added since the look before; the first has nothing to compare with. A count that fell is of an
    /// Alertmanager that was started anew.
    pub fn look(&mut self, now: Delivered, at: Timestamp) -> Vec<Count> {
        let Some(last) = self.last.replace(now.clone()) else { return Vec::new() };
        let more = |(sender, count): (&Sender, &u64)| {
            let before = last.get(sender).copied().unwrap_or(0);
            let more = if *count < before { *count } else { count - before };
            (more > 0).then(|| Count { at, sender: sender.clone(), more })
        };
        now.iter().filter_map(more).collect()
    }
}

/// By which of Alertmanager's integrations a channel is reached, given the kinds of its receivers.
#[must_use]
pub fn integration(channel: Channel, kinds: &BTreeSet<String>) -> &'static str {
    match channel {
        Channel::Discord if !kinds.contains("discord") => "slack", // it takes Slack's bodies, too
        other => other.name(),
    }
}

/// When, at the latest, the `nth` notification (from 0) since `since` had gone out by this integration of one of these
/// receivers.
#[must_use]
pub fn sent(
    counts: &[Count],
    integration: &str,
    receivers: &BTreeSet<String>,
    since: Timestamp,
    nth: u64,
) -> Option<Timestamp> {
    let ours = |sender: &Sender| {
        sender.integration == integration
            && sender.receiver.as_ref().is_none_or(|receiver| receivers.contains(receiver))
    };
    let mut total = 0;
    counts.iter().filter(|count| count.at >= since && ours(&count.sender)).find_map(|count| {
        total += count.more;
        (total > nth).then_some(count.at)
    })
}

/// Takes down on which channels the alert was counted as notified, and as told.
pub fn deliveries(record: &mut Record, routing: &Routing) {
    let Some(firing) = record.instants.firing else { return };
    let receivers: BTreeSet<String> = record.routes.iter().map(|route| route.receiver.clone()).collect();
    let kinds = kinds(routing, &receivers);
    let mut before: Vec<&str> = Vec::new();
    for channel in record.expected.clone() {
        let integration = integration(channel, &kinds);
        // Channels that share an integration each need a notification of their own.
        let nth = before.iter().filter(|it| **it == integration).count() as u64;
        before.push(integration);
        if let Some(at) = sent(&record.counts, integration, &receivers, firing, nth) {
            record.instants.notified.entry(channel).or_insert(at);
        }
        let Some(resolved) = record.instants.resolved else { continue };
        if let Some(at) = sent(&record.counts, integration, &receivers, resolved, nth) {
            record.instants.told.entry(channel).or_insert(at);
        }
    }
}

fn kinds(routing: &Routing, receivers: &BTreeSet<String>) -> BTreeSet<String> {
    receivers.iter().filter_map(|name| routing.kinds(name)).flatten().cloned().collect()
}

/// Why this drill cannot do without an inbox, if so.
#[must_use]
pub fn needs_inbox(drill: &Drill) -> Option<&'static str> {
    let expect = &drill.expect;
    if drill.proves.stops || expect.delivered.contains(&Channel::Heartbeat) {
        return Some("only an inbox notices that the heartbeat has stopped");
    }
    if !drill.cause.inbox.is_empty() {
        return Some("the cause makes an inbox fail");
    }
    (!expect.inhibited.is_empty()).then_some("that nobody was told of what is inhibited cannot be counted")
}

#[cfg(test)]
#[path = "counted_tests.rs"]
mod tests;
