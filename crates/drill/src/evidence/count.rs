//! Notifications as Alertmanager counts them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use clients::alertmanager::{Delivered, Sender};
use clients::inbox::Channel;

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
    counts: Vec<Count>,
}

impl Counter {
    /// What has been added since the look before; the first has nothing to compare with. A count that fell is of an
    /// Alertmanager that was started anew.
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

    /// All that was added since the first look.
    #[must_use]
    pub fn counts(&self) -> &[Count] {
        &self.counts
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

#[cfg(test)]
#[path = "count_tests.rs"]
mod tests;
