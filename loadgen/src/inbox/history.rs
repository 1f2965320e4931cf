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

    /// The id of the oldest that is kept, 0 when there is none.
    #[must_use]
    pub fn first_id(&self) -> u64 {
        self.kept.front().map_or(0, |it| it.id)
    }

    /// Those with an id above `after`, oldest first, the newest `limit` of them.
    pub fn after(&self, after: u64, limit: usize) -> impl Iterator<Item = &Notification> {
        self.between(after, u64::MAX, limit)
    }

    /// Those with an id above `after` and below `before`, oldest first, the newest `limit` of them.
    pub fn between(&self, after: u64, before: u64, limit: usize) -> impl Iterator<Item = &Notification> {
        let end = self.kept.partition_point(|it| it.id < before);
        let first = self.kept.partition_point(|it| it.id <= after).max(end.saturating_sub(limit)).min(end);
        self.kept.range(first..end)
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
        assert_eq!((history.first_id(), history.last_id(), ids(&history, 0, 10)), (0, 0, vec![]));
        for expected in 1..=5 {
            let added = history.add(Channel::Slack, message(), Timestamp::UNIX_EPOCH);
            assert_eq!((added.id, added.channel.as_str()), (expected, "slack"));
        }
        assert_eq!(ids(&history, 0, 10), [3, 4, 5]);
        assert_eq!(ids(&history, 4, 10), [5]);
        assert_eq!(ids(&history, 5, 10), [0; 0]);
        assert_eq!(ids(&history, u64::MAX, 10), [0; 0]);
        assert_eq!(ids(&history, 0, 2), [4, 5]);

        let between = |after, before, limit| -> Vec<u64> {
            history.between(after, before, limit).map(|it| it.id).collect()
        };
        assert_eq!(between(0, 5, 10), [3, 4]);
        assert_eq!(between(0, 5, 1), [4]);
        assert_eq!(between(4, 4, 10), [0; 0]);
        assert_eq!(between(9, 2, 10), [0; 0]);
        assert_eq!(history.first_id(), 3);

        let earlier: Vec<Notification> = history.after(0, 10).cloned().collect();
        let mut again = History::new(2, earlier);
        assert_eq!(ids(&again, 0, 10), [4, 5]);
        assert_eq!(again.add(Channel::Webhook, message(), Timestamp::UNIX_EPOCH).id, 6);
    }
}
