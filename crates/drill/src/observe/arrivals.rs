//! Notifications received by the inbox.

use jiff::Timestamp;

use crate::evidence::naming::Naming;
use clients::inbox::{Listing, Notification};
use clients::prometheus::RuleGroup;

/// Notifications received by the inbox, in which each alert has the name of a rule.
#[derive(Debug)]
pub struct Arrivals {
    /// When the inbox that counted up to `read` was started.
    started: Timestamp,
    read: u64,
    all: Vec<Notification>,
    naming: Naming,
}

impl Arrivals {
    /// Notifications that arrive after the newest one of this listing.
    #[must_use]
    pub fn after(earlier: &Listing) -> Self {
        Self { started: earlier.started, read: earlier.last, all: Vec::new(), naming: Naming::default() }
    }

    /// The id of the last notification read.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Adds the notifications received since. A restarted inbox may have started its ids over, so all its notifications are
    /// read again and the known ones are skipped.
    pub fn extend(&mut self, listing: Listing) {
        if listing.started != self.started {
            (self.started, self.read) = (listing.started, 0);
            return;
        }
        self.read = listing.notifications.last().map_or(self.read, |last| last.id);
        let news = |it: &Notification| {
            let same = |known: &Notification| known.id == it.id && known.received_at == it.received_at;
            !self.all.iter().any(same)
        };
        let news: Vec<_> = listing.notifications.into_iter().filter(news).collect();
        self.all.extend(news);
    }

    /// Reloads the rules and names the alerts of text notifications after them.
    pub fn settle(&mut self, rules: &[RuleGroup]) {
        self.naming = Naming::of(rules);
        self.naming.settle(&mut self.all);
    }

    /// All notifications so far.
    #[must_use]
    pub fn all(&self) -> &[Notification] {
        &self.all
    }

    /// The alert names of the rules as last read.
    #[must_use]
    pub fn naming(&self) -> &Naming {
        &self.naming
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(started: i64, received: &[(u64, i64)]) -> Listing {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let one = |(id, seconds): &(u64, i64)| Notification {
            id: *id,
            received_at: at(*seconds),
            channel: "webhook".into(),
            status: "firing".into(),
            alerts: Vec::new(),
            body: serde_json::Value::Null,
        };
        let last = received.last().map_or(0, |(id, _)| *id);
        Listing { started: at(started), last, notifications: received.iter().map(one).collect() }
    }

    #[test]
    fn reads_a_restarted_inbox_from_the_beginning() {
        for kept in [&[][..], &[(1, 5), (2, 11), (3, 12)]] {
            let mut arrivals = Arrivals::after(&listing(1, &[(1, 5)]));
            arrivals.extend(listing(1, &[(2, 11), (3, 12)]));
            assert_eq!((arrivals.read(), arrivals.all().len()), (3, 2));
            arrivals.extend(listing(20, &[]));
            assert_eq!(arrivals.read(), 0, "its ids may have started over");
            let new = kept.last().map_or(1, |(id, _)| id + 1);
            let mut all = kept.to_vec();
            all.push((new, 21));
            arrivals.extend(listing(20, &all[kept.len().min(1)..]));
            assert_eq!((arrivals.read(), arrivals.all().len()), (new, 3));
            assert_eq!(arrivals.all()[2].received_at.as_second(), 21);
        }
    }
}
