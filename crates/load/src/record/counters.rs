//! Counters of one worker: written only by its own thread, read by any.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::wire::error::Fault;

/// Number of possible three-digit statuses.
const STATUSES: usize = 1_000;

/// A counter with a single writer, so that incrementing needs no atomic read-modify-write.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds one. Call it only from the writing thread.
    pub fn add(&self) {
        self.0.store(self.0.load(Relaxed) + 1, Relaxed);
    }

    /// Sets the value. Call it only from the writing thread.
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// The value, which may be slightly out of date.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The counters of one worker.
#[derive(Debug)]
pub struct Counters {
    /// Arrivals that are or were due.
    pub scheduled: Count,
    /// Requests whose first byte was written.
    pub sent: Count,
    /// Responses with an expected status.
    pub expected: Count,
    /// Responses with an unexpected status.
    pub unexpected: Count,
    /// Arrivals not sent because too many were in flight.
    pub shed: Count,
    /// Requests in flight when the run was stopped; set at the end.
    pub unfinished: Count,
    /// Requests retried because the server had closed a kept-alive connection.
    pub retried: Count,
    /// Connections opened.
    pub connections: Count,
    /// When the last request's first byte was written, in nanoseconds from the start.
    pub last_sent_nanos: Count,
    /// Nanoseconds of the schedule that ran; set at the end.
    pub span_nanos: Count,
    /// CPU time of the worker in nanoseconds; set at the end.
    pub cpu_nanos: Count,
    faults: [Count; Fault::ALL.len()],
    statuses: Box<[Count]>,
}

impl Default for Counters {
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

impl Counters {
    /// Counts a fault.
    pub fn fault(&self, fault: Fault) {
        self.faults[fault as usize].add();
    }

    /// Counts a response.
    pub fn response(&self, status: u16, expected: bool) {
        if let Some(count) = self.statuses.get(usize::from(status)) {
            count.add();
        }
        if expected { self.expected.add() } else { self.unexpected.add() }
    }
}

/// Sums over the workers.
pub trait Sums {
    /// The sum of one counter.
    fn sum(&self, count: impl Fn(&Counters) -> &Count) -> u64;
    /// Responses by status, without zero counts.
    fn statuses(&self) -> BTreeMap<u16, u64>;
    /// Faults by kind, without zero counts.
    fn faults(&self) -> BTreeMap<Fault, u64>;
}

impl Sums for [Counters] {
    fn sum(&self, count: impl Fn(&Counters) -> &Count) -> u64 {
        self.iter().map(|counters| count(counters).get()).sum()
    }

    fn statuses(&self) -> BTreeMap<u16, u64> {
        (0..STATUSES as u16)
            .map(|status| (status, self.sum(|counters| &counters.statuses[usize::from(status)])))
            .filter(|&(_, count)| count > 0)
            .collect()
    }

    fn faults(&self) -> BTreeMap<Fault, u64> {
        Fault::ALL
            .into_iter()
            .map(|fault| (fault, self.sum(|counters| &counters.faults[fault as usize])))
            .filter(|&(_, count)| count > 0)
            .collect()
    }
}
