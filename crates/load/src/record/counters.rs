//! Running totals of one worker: written by its thread alone, read by any.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::wire::error::Fault;

/// Statuses have three digits.
const STATUSES: usize = 1_000;

/// A count with one writer, so that adding needs no locked instruction.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds one; from the writing thread only.
    pub fn add(&self) {
        self.0.store(self.0.load(Relaxed) + 1, Relaxed);
    }

    /// Sets the value; from the writing thread only.
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// The value, perhaps a moment old.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What one worker has done so far.
#[derive(Debug)]
pub struct Tally {
    /// Arrivals whose due time has come.
    pub scheduled: Count,
    /// Requests whose first byte was written.
    pub sent: Count,
    /// Answers with an expected status.
    pub expected: Count,
    /// Answers with another status.
    pub unexpected: Count,
    /// Arrivals not sent because too many were in flight.
    pub shed: Count,
    /// Set at the end: in flight when the run was stopped.
    pub unfinished: Count,
    /// Requests sent again on a new connection because a kept one had been closed by the server.
    pub retried: Count,
    /// Connections opened.
    pub connections: Count,
    /// Nanoseconds from the start at which the last request's first byte was written.
    pub last_sent_nanos: Count,
    /// Set at the end: nanoseconds of schedule that were played.
    pub span_nanos: Count,
    /// Set at the end: nanoseconds of processor time the worker took.
    pub cpu_nanos: Count,
    faults: [Count; Fault::ALL.len()],
    statuses: Box<[Count]>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            scheduled: Count::default(),
            sent: Count::default(),
            expected: Count::default(),
            unexpected: Count::default(),
            shed: Count::default(),
            unfinished: Count::default(),
            retried: Count::default(),
            connections: Count::default(),
            last_sent_nanos: Count::default(),
            span_nanos: Count::default(),
            cpu_nanos: Count::default(),
            faults: Default::default(),
            statuses: (0..STATUSES).map(|_| Count::default()).collect(),
        }
    }
}

impl Tally {
    /// Counts a fault.
    pub fn fault(&self, fault: Fault) {
        self.faults[fault as usize].add();
    }

    /// Counts an answer.
    pub fn answer(&self, status: u16, expected: bool) {
        if let Some(count) = self.statuses.get(usize::from(status)) {
            count.add();
        }
        if expected { self.expected.add() } else { self.unexpected.add() }
    }
}

/// Sums over the workers.
pub trait Sums {
    /// The sum of one count.
    fn sum(&self, count: impl Fn(&Tally) -> &Count) -> u64;
    /// Answers by status, those that came.
    fn statuses(&self) -> BTreeMap<u16, u64>;
    /// Faults by kind, those that came.
    fn faults(&self) -> BTreeMap<Fault, u64>;
}

impl Sums for [Tally] {
    fn sum(&self, count: impl Fn(&Tally) -> &Count) -> u64 {
        self.iter().map(|tally| count(tally).get()).sum()
    }

    fn statuses(&self) -> BTreeMap<u16, u64> {
        (0..STATUSES as u16)
            .map(|status| (status, self.sum(|tally| &tally.statuses[usize::from(status)])))
            .filter(|&(_, count)| count > 0)
            .collect()
    }

    fn faults(&self) -> BTreeMap<Fault, u64> {
        Fault::ALL
            .into_iter()
            .map(|fault| (fault, self.sum(|tally| &tally.faults[fault as usize])))
            .filter(|&(_, count)| count > 0)
            .collect()
    }
}
