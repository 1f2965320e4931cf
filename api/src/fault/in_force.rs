//! One fault, from the moment it takes effect until it is lifted.

use super::spec::{Decision, Spec};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// A fault in force.
pub(crate) struct InForce {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) spec: Spec,
    pub(crate) expires: Instant,
    /// Covered requests so far: the position in its random sequence.
    covered: AtomicU64,
    lifted: watch::Sender<bool>,
}

/// An active fault as shown to the operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Its name.
    pub id: String,
    /// What it does.
    pub spec: Spec,
    /// Time left.
    pub left: Duration,
    /// Covered requests so far.
    pub covered: u64,
}

impl InForce {
    pub(crate) fn new(id: &str, label: String, spec: Spec, now: Instant) -> Self {
        let (covered, lifted) = (AtomicU64::new(0), watch::Sender::new(false));
        Self { id: id.to_owned(), label, expires: now + spec.ttl, spec, covered, lifted }
    }

    /// The decision for the next request of this route and method; `None` when it is not chosen. An expired fault
    /// chooses none, even before it is removed.
    pub(crate) fn decide(&self, route: &str, method: &str, now: Instant) -> Option<Decision> {
        if self.expires <= now || !self.spec.covers(route, method) {
            return None;
        }
        self.spec.decide(self.covered.fetch_add(1, Ordering::Relaxed))
    }

    /// Its status at `now`; `None` once it has expired.
    pub(crate) fn status(&self, now: Instant) -> Option<Status> {
        let left = self.expires.checked_duration_since(now).filter(|left| !left.is_zero())?;
        let covered = self.covered.load(Ordering::Relaxed);
        Some(Status { id: self.id.clone(), spec: self.spec.clone(), left, covered })
    }

    /// Releases the requests that wait.
    pub(crate) fn lift(&self) {
        self.lifted.send_replace(true);
    }

    /// Waits; returns `true` when the fault was lifted before the wait was over.
    pub(crate) async fn wait(&self, delay: Duration) -> bool {
        let mut lifted = self.lifted.subscribe();
        tokio::time::timeout(delay, lifted.wait_for(|lifted| *lifted)).await.is_ok()
    }
}
