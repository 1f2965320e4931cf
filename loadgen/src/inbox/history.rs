//! What arrived, the newest so many.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::channel::{Channel, Message};
use crate::systems::inbox::Notification;

/// A bounded list of notifications with ever growing ids.
#[derive(Debug)]
pub struct History {
    capacity: usize,
    last_id: u64,
    kept: VecDeque<Notification>,
}

impl History {
    /// A history that keeps the newest `capacity` (at least 1) of `earlier`, which are in order of id.
    #[must_use]
    pub fn new(capacity: usize, earlier: impl IntoIterator<Item = Notification>) -> Self {
        let mut history = Self { capacity: capacity.max(1), last_id: 0, kept: VecDeque::new() };
        for notification in earlier {
            history.push(notification);
        }
        history
    }

    /// Takes a message in and gives the notification made of it.
    pub fn add(&mut self, channel: Channel, message: Message, received_at: Timestamp) -> &Notification {
        self.push(Notification {
            id: self.last_id + 1,
            received_at,
            channel: channel.name().to_owned(),
            status: message.status.to_owned(),
            alerts: message.alerts,
            body: message.body,
        })
    }

    fn push(&mut self, notification: Notification) -> &Notification {
        self.last_id = self.last_id.max(notification.id);
        if self.kept.len() == self.capacity {
            self.kept.pop_front();
        }
        self.kept.push_back(notification);
        &self.kept[self.kept.len() - 1]
    }

    /// The id of the newest ever, 0 before the first.
    #[must_use]
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// How many are kept at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Those with an id above `after`, oldest first, the newest `limit` of them.
    pub fn after(&self, after: u64, limit: usize) -> impl Iterator<Item = &Notification> {
        let first = self.kept.partition_point(|it| it.id <= after).max(self.kept.len().saturating_sub(limit));
        self.kept.iter().skip(first)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(history: &History, after: u64, limit: usize) -> Vec<u64> {
        history.after(after, limit).map(|it| it.id).collect()
    }

    fn message() -> Message {
        Message { status: "firing", alerts: Vec::new(), body: json!({}) }
    }

    #[test]
    fn keeps_the_newest_and_counts_on() {
        let mut history = History::new(3, []);
        assert_eq!((history.last_id(), ids(&history, 0, 10)), (0, vec![]));
        for expected in 1..=5 {
            let added = history.add(Channel::Slack, message(), Timestamp::UNIX_EPOCH);
            assert_eq!((added.id, added.channel.as_str()), (expected, "slack"));
        }
        assert_eq!(ids(&history, 0, 10), [3, 4, 5]);
        assert_eq!(ids(&history, 4, 10), [5]);
        assert_eq!(ids(&history, 5, 10), [0; 0]);
        assert_eq!(ids(&history, u64::MAX, 10), [0; 0]);
        assert_eq!(ids(&history, 0, 2), [4, 5]);

        let earlier: Vec<Notification> = history.after(0, 10).cloned().collect();
        let mut again = History::new(2, earlier);
        assert_eq!(ids(&again, 0, 10), [4, 5]);
        assert_eq!(again.add(Channel::Webhook, message(), Timestamp::UNIX_EPOCH).id, 6);
    }
}
