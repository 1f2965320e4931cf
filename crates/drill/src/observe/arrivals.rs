//! Notifications as they arrive at the inbox.

use clients::inbox::Notification;
use clients::prometheus::RuleGroup;

use crate::evidence::naming::Naming;

/// Notifications as they arrive, each alert with the name of a rule.
#[derive(Debug)]
pub struct Arrivals {
    read: u64,
    all: Vec<Notification>,
    naming: Naming,
}

impl Arrivals {
    /// Those that arrive after these.
    #[must_use]
    pub fn after(earlier: &[Notification]) -> Self {
        let read = earlier.last().map_or(0, |last| last.id);
        Self { read, all: Vec::new(), naming: Naming::default() }
    }

    /// The id of the last one read.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Takes in what the inbox has had since.
    pub fn extend(&mut self, arrived: Vec<Notification>) {
        self.read = arrived.last().map_or(self.read, |last| last.id);
        self.all.extend(arrived);
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
