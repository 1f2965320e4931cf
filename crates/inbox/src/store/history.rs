//! What arrived, the newest of it: so many, and so many bytes.
//!
//! Notifications are kept as the JSON they are listed and journalled as. Taken apart, one with many alerts needs ten times
//! that, so that a bound on what arrived would say little about memory.

use std::collections::VecDeque;

use actix_web::web::Bytes;
use jiff::Timestamp;

use crate::receivers::message::Message;
use clients::inbox::{Channel, Notification};

/// How much a history keeps; of a single notification that is larger, that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Notifications, at least 1.
    pub count: usize,
    /// Bytes of JSON.
    pub bytes: usize,
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: u64,
    /// A [`Notification`] on one line.
    pub json: Bytes,
}

impl Entry {
    fn of(notification: &Notification) -> Self {
        let json = serde_json::to_vec(notification).expect("strings, numbers and maps with strings as keys");
        // Boxed, it has no room to grow that nobody counts.
        Self { id: notification.id, json: json.into_boxed_slice().into() }
    }
}

/// A bounded list of notifications with ever growing ids.
#[derive(Debug)]
pub struct History {
    limits: Limits,
    last_id: u64,
    bytes: usize,
    kept: VecDeque<Entry>,
}

impl History {
    /// An empty one.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let limits = Limits { count: limits.count.max(1), ..limits };
        Self { limits, last_id: 0, bytes: 0, kept: VecDeque::new() }
    }

    /// Takes a message in and gives the entry made of it.
    pub fn add(&mut self, channel: Channel, message: Message, received_at: Timestamp) -> &Entry {
        let entry = Entry::of(&Notification {
            id: self.last_id + 1,
            received_at,
            channel: channel.name().to_owned(),
            status: message.status.to_owned(),
            alerts: message.alerts,
            body: message.body,
        });
        self.push(entry);
        &self.kept[self.kept.len() - 1]
    }

    /// Takes an entry of an earlier run in, whose id is above the last one; says whether older ones had to go for it.
    pub fn push(&mut self, entry: Entry) -> bool {
        self.last_id = self.last_id.max(entry.id);
        self.bytes += entry.json.len();
        self.kept.push_back(entry);
        let before = self.kept.len();
        while self.kept.len() > self.limits.count || (self.bytes > self.limits.bytes && self.kept.len() > 1) {
            self.bytes -= self.kept.pop_front().map_or(0, |oldest| oldest.json.len());
        }
        self.kept.len() < before
    }

    /// The id of the newest ever, 0 before the first.
    #[must_use]
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// How much is kept at most.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The id of the oldest that is kept, 0 when there is none.
    #[must_use]
    pub fn first_id(&self) -> u64 {
        self.kept.front().map_or(0, |it| it.id)
    }

    /// All, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.kept.iter()
    }

    /// Those with an id above `after` and below `before`, oldest first, the newest `limit` of them.
    pub fn between(&self, after: u64, before: u64, limit: usize) -> impl Iterator<Item = &Entry> {
        let end = self.kept.partition_point(|it| it.id < before);
        let first = self.kept.partition_point(|it| it.id <= after).max(end.saturating_sub(limit)).min(end);
        self.kept.range(first..end)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROOM: usize = 1 << 20;

    fn ids(history: &History, after: u64, limit: usize) -> Vec<u64> {
        history.between(after, u64::MAX, limit).map(|it| it.id).collect()
    }

    fn message(text: &str) -> Message {
        Message { status: "firing", alerts: Vec::new(), body: json!({"text": text}) }
    }

    #[test]
    fn keeps_the_newest_and_counts_on() {
        let mut history = History::new(Limits { count: 3, bytes: ROOM });
        assert_eq!((history.first_id(), history.last_id(), ids(&history, 0, 10)), (0, 0, vec![]));
        for expected in 1..=5 {
            let added = history.add(Channel::Slack, message(""), Timestamp::UNIX_EPOCH);
            let read: Notification = serde_json::from_slice(&added.json).unwrap();
            assert_eq!((added.id, read.id, read.channel.as_str()), (expected, expected, "slack"));
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

        let mut again = History::new(Limits { count: 2, bytes: ROOM });
        let gone: Vec<bool> = history.all().cloned().map(|entry| again.push(entry)).collect();
        assert_eq!((ids(&again, 0, 10), gone), (vec![4, 5], vec![false, false, true]));
        assert_eq!(again.add(Channel::Webhook, message(""), Timestamp::UNIX_EPOCH).id, 6);
    }

    #[test]
    fn the_oldest_go_when_the_bytes_are_used_up() {
        let mut history = History::new(Limits { count: 1_000, bytes: 5_000 });
        for _ in 0..20 {
            history.add(Channel::Slack, message(&"x".repeat(900)), Timestamp::UNIX_EPOCH);
            let bytes: usize = history.all().map(|entry| entry.json.len()).sum();
            assert!(bytes <= 5_000, "{bytes}");
        }
        let one = history.all().next().unwrap().json.len();
        assert_eq!(history.all().count(), 5_000 / one, "no more than had to");
        history.add(Channel::Slack, message(&"x".repeat(9_000)), Timestamp::UNIX_EPOCH);
        assert_eq!(ids(&history, 0, 10), [21], "the newest stays, whatever its size");
        history.add(Channel::Slack, message(""), Timestamp::UNIX_EPOCH);
        assert_eq!(ids(&history, 0, 10), [22]);
    }
}
