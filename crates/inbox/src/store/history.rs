//! The newest notifications, bounded by number and size.
//!
//! Notifications are stored as the JSON that is listed and journalled. Parsed, one with many alerts needs ten times the
//! memory, so a size limit would not bound memory.

use std::collections::VecDeque;

use actix_web::web::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::receivers::message::{Message, Sent};
use clients::inbox::{Channel, NotifiedAlert};

/// The limits of a history. A single larger notification is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of notifications, at least 1.
    pub count: usize,
    /// Maximum size of the JSON in bytes.
    pub bytes: usize,
}

/// A stored notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its ID.
    pub id: u64,
    /// A [`clients::inbox::Notification`] on one line.
    pub json: Bytes,
}

impl Entry {
    fn of(notification: &Stored<'_>) -> Self {
        let json = serde_json::to_vec(notification)
            .expect("strings, numbers and maps with string keys always serialize");
        // A boxed slice has no spare capacity, so its length is its memory.
        Self { id: notification.id, json: json.into_boxed_slice().into() }
    }
}

/// A [`clients::inbox::Notification`] as it is written.
#[derive(Serialize)]
struct Stored<'m> {
    id: u64,
    received_at: Timestamp,
    channel: &'static str,
    status: &'static str,
    alerts: &'m [NotifiedAlert],
    body: &'m Sent,
}

/// A bounded list of notifications with increasing IDs.
#[derive(Debug)]
pub struct History {
    limits: Limits,
    last_id: u64,
    bytes: usize,
    kept: VecDeque<Entry>,
}

impl History {
    /// An empty history.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let limits = Limits { count: limits.count.max(1), ..limits };
        Self { limits, last_id: 0, bytes: 0, kept: VecDeque::new() }
    }

    /// The entry of a message with the next ID, for [`Self::push`].
    #[must_use]
    pub fn entry(&self, channel: Channel, message: Message, received_at: Timestamp) -> Entry {
        Entry::of(&Stored {
            id: self.last_id + 1,
            received_at,
            channel: channel.name(),
            status: message.status,
            alerts: &message.alerts,
            body: &message.body,
        })
    }

    /// Adds an entry whose ID is above the last one. Returns whether older entries were dropped.
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

    /// The newest ID ever assigned, 0 before the first.
    #[must_use]
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The ID of the oldest entry, 0 if empty.
    #[must_use]
    pub fn first_id(&self) -> u64 {
        self.kept.front().map_or(0, |it| it.id)
    }

    /// All entries, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.kept.iter()
    }

    /// The newest `limit` entries with an ID above `after` and below `before`, oldest first.
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
    use clients::inbox::Notification;

    const ROOM: usize = 1 << 20;

    fn ids(history: &History, after: u64, limit: usize) -> Vec<u64> {
        history.between(after, u64::MAX, limit).map(|it| it.id).collect()
    }

    /// Adds a notification and returns its entry.
    fn add(history: &mut History, channel: Channel, text: &str) -> Entry {
        let message = Message { status: "firing", alerts: Vec::new(), body: json!({"text": text}).into() };
        let entry = history.entry(channel, message, Timestamp::UNIX_EPOCH);
        history.push(entry.clone());
        entry
    }

    #[test]
    fn keeps_the_newest_and_continues_the_ids() {
        let mut history = History::new(Limits { count: 3, bytes: ROOM });
        assert_eq!((history.first_id(), history.last_id(), ids(&history, 0, 10)), (0, 0, vec![]));
        for expected in 1..=5 {
            let added = add(&mut history, Channel::Slack, "");
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
        assert_eq!(add(&mut again, Channel::Webhook, "").id, 6);
    }

    #[test]
    fn drops_the_oldest_when_full() {
        let mut history = History::new(Limits { count: 1_000, bytes: 5_000 });
        for _ in 0..20 {
            add(&mut history, Channel::Slack, &"x".repeat(900));
            let bytes: usize = history.all().map(|entry| entry.json.len()).sum();
            assert!(bytes <= 5_000, "{bytes}");
        }
        let one = history.all().next().unwrap().json.len();
        assert_eq!(history.all().count(), 5_000 / one, "drops no more than necessary");
        add(&mut history, Channel::Slack, &"x".repeat(9_000));
        assert_eq!(ids(&history, 0, 10), [21], "the newest is kept, whatever its size");
        add(&mut history, Channel::Slack, "");
        assert_eq!(ids(&history, 0, 10), [22]);
    }
}
