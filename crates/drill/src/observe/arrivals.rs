//! Notifications as they arrive at the inbox.

use jiff::Timestamp;

use crate::evidence::naming::Naming;
use clients::inbox::{Listing, Notification};
use clients::prometheus::RuleGroup;

/// Notifications as they arrive, each alert with the name of a rule.
#[derive(Debug)]
pub struct Arrivals {
    /// When the inbox was started that `read` is about.
    started: Timestamp,
    read: u64,
    all: Vec<Notification>,
    naming: Naming,
}

impl Arrivals {
    /// Those that arrive after these.
    #[must_use]
    pub fn after(earlier: &Listing) -> Self {
        let read = earlier.notifications.last().map_or(0, |last| last.id);
        Self { started: earlier.started, read, all: Vec::new(), naming: Naming::default() }
    }

    /// The id of the last one read.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Takes in what the inbox has had since. Of one that was started anew the ids may have begun anew as well: all it has
    /// is read again, and what is known already left out.
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

    /// Names the alerts of texts after these rules.
    pub fn settle(&mut self, rules: &[RuleGroup]) {
        self.naming = Naming::of(rules);
        self.naming.settle(&mut self.all);
    }

    /// All so far.
    #[must_use]
    pub fn all(&self) -> &[Notification] {
        &self.all
    }

    /// The rules as last read.
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
        Listing { started: at(started), notifications: received.iter().map(one).collect() }
    }

    #[test]
    fn an_inbox_that_was_started_anew_is_read_from_the_beginning() {
        for kept in [&[][..], &[(1, 5), (2, 11), (3, 12)]] {
            let mut arrivals = Arrivals::after(&listing(1, &[(1, 5)]));
            arrivals.extend(listing(1, &[(2, 11), (3, 12)]));
            assert_eq!((arrivals.read(), arrivals.all().len()), (3, 2));
            arrivals.extend(listing(20, &[]));
            assert_eq!(arrivals.read(), 0, "its ids may have begun anew");
            let new = kept.last().map_or(1, |(id, _)| id + 1);
            let mut all = kept.to_vec();
            all.push((new, 21));
            arrivals.extend(listing(20, &all[kept.len().min(1)..]));
            assert_eq!((arrivals.read(), arrivals.all().len()), (new, 3));
            assert_eq!(arrivals.all()[2].received_at.as_second(), 21);
        }
    }
}
