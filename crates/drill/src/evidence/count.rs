//! Notifications as counted by Alertmanager.

use std::collections::BTreeSet;

use jiff::Timestamp;

use clients::alertmanager::{Delivered, Sender};
use clients::inbox::Channel;

/// The note a verdict carries when delivery was not observed by an inbox.
pub const COUNTED_ONLY: &str = "delivery was checked by Alertmanager's counters only";

/// Notifications that Alertmanager counted between two polls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The time of the later poll.
    pub at: Timestamp,
    /// The integration and receiver that sent them.
    pub sender: Sender,
    /// The number of notifications.
    pub more: u64,
}

/// Alertmanager's counters, poll by poll.
#[derive(Debug, Default)]
pub struct Counter {
    last: Option<Delivered>,
    counts: Vec<Count>,
}

impl Counter {
    /// Adds a poll and returns what was counted since the previous one; the first has nothing to compare with. A counter
    /// that decreased belongs to a restarted Alertmanager.
    pub fn look(&mut self, now: Delivered, at: Timestamp) -> &[Count] {
        let Some(last) = self.last.replace(now.clone()) else { return &[] };
        let more = |(sender, count): (&Sender, &u64)| {
            let before = last.get(sender).copied().unwrap_or(0);
            let more = if *count < before { *count } else { count - before };
            (more > 0).then(|| Count { at, sender: sender.clone(), more })
        };
        let before = self.counts.len();
        self.counts.extend(now.iter().filter_map(more));
        &self.counts[before..]
    }

    /// Everything counted since the first poll.
    #[must_use]
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }
}

/// The Alertmanager integration that reaches a channel, given the kinds of its receivers.
#[must_use]
pub fn integration(channel: Channel, kinds: &BTreeSet<String>) -> &'static str {
    match channel {
        Channel::Discord if !kinds.contains("discord") => "slack", // Discord accepts Slack's format
        other => other.name(),
    }
}

/// The latest time at which the `nth` notification (from 0) after `since` was sent by this integration of one of these
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

#[cfg(test)]
#[path = "count_tests.rs"]
mod tests;
