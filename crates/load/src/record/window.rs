//! The measurements of one worker in one second, and their handover to the collector.

use std::sync::mpsc;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Resolution in nanoseconds.
const FINEST: u64 = 1_000;
/// Maximum latency in nanoseconds, one hour. Longer ones are recorded as this value.
const LONGEST: u64 = 3_600_000_000_000;

/// An empty histogram of nanoseconds: 1 µs to 1 h with three significant digits, about 190 KiB.
#[must_use]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(FINEST, LONGEST, 3).expect("the histogram bounds are valid constants")
}

/// The four latencies of a request. Histograms are in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latencies<T = Histogram<u64>> {
    /// From due to complete: the latency a user experiences.
    pub response: T,
    /// From the first byte written to complete: the latency of the server.
    pub service: T,
    /// From due to dispatched: the delay of the generator.
    pub pacer_lag: T,
    /// From dispatched to the first byte written: the wait for a connection.
    pub connection_wait: T,
}

/// Names of the latencies in thresholds and metrics, and in reports.
pub const NAMES: [(&str, &str); 4] = [
    ("response", "response time"),
    ("service", "service time"),
    ("pacer_lag", "pacer lag"),
    ("connection_wait", "connection wait"),
];

impl<T> Latencies<T> {
    /// The latencies in the order of [`NAMES`].
    #[must_use]
    pub fn each(&self) -> [&T; 4] {
        [&self.response, &self.service, &self.pacer_lag, &self.connection_wait]
    }

    fn each_mut(&mut self) -> [&mut T; 4] {
        [&mut self.response, &mut self.service, &mut self.pacer_lag, &mut self.connection_wait]
    }

    /// Makes each latency from its index in [`NAMES`].
    ///
    /// # Errors
    /// The first error.
    pub fn make<E>(mut of: impl FnMut(usize) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self { response: of(0)?, service: of(1)?, pacer_lag: of(2)?, connection_wait: of(3)? })
    }
}

impl Default for Latencies {
    fn default() -> Self {
        let [response, service, pacer_lag, connection_wait] = std::array::from_fn(|_| histogram());
        Self { response, service, pacer_lag, connection_wait }
    }
}

impl Latencies {
    /// Adds the values of another.
    pub fn add(&mut self, other: &Self) {
        for (into, from) in self.each_mut().into_iter().zip(other.each()) {
            if !from.is_empty() {
                into.add(from).expect("all histograms have the same bounds");
            }
        }
    }

    fn clear(&mut self) {
        self.each_mut().into_iter().filter(|it| !it.is_empty()).for_each(Histogram::reset);
    }
}

/// The measurements of one worker in one second.
#[derive(Debug, Default)]
pub struct Window {
    /// Start of the window, in seconds from the start of the run.
    pub second: u32,
    /// Arrivals that were due.
    pub scheduled: u32,
    /// Requests sent.
    pub sent: u32,
    /// Expected responses.
    pub expected: u32,
    /// Unexpected responses.
    pub unexpected: u32,
    /// Transport and local errors.
    pub errors: u32,
    /// Arrivals shed.
    pub shed: u32,
    /// Latencies of the requests completed, and pacer lag of the requests dispatched.
    pub latencies: Latencies,
}

impl Window {
    /// Adds the same second of another worker.
    pub fn add(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.sent += other.sent;
        self.expected += other.expected;
        self.unexpected += other.unexpected;
        self.errors += other.errors;
        self.shed += other.shed;
        self.latencies.add(&other.latencies);
    }

    /// Clears it for reuse.
    pub fn clear(&mut self) {
        let Self { second, scheduled, sent, expected, unexpected, errors, shed, latencies } = self;
        for count in [second, scheduled, sent, expected, unexpected, errors, shed] {
            *count = 0;
        }
        latencies.clear();
    }
}

/// A window sent to the collector.
#[derive(Debug)]
pub struct Full {
    /// Index of the worker.
    pub worker: usize,
    /// Its window.
    pub window: Window,
}

/// The current window of a worker. At the end of a second it is swapped with an empty one, so that the worker neither
/// merges nor clears windows. While the collector is behind, the current window continues.
#[derive(Debug)]
pub struct Recorder {
    worker: usize,
    current: Window,
    full: mpsc::Sender<Full>,
    empty: mpsc::Receiver<Window>,
}

impl Recorder {
    /// Starts with second 0.
    #[must_use]
    pub fn new(worker: usize, full: mpsc::Sender<Full>, empty: mpsc::Receiver<Window>) -> Self {
        Self { worker, current: Window::default(), full, empty }
    }

    /// The window for events at `nanos` from the start.
    pub fn at(&mut self, nanos: u64) -> &mut Window {
        let second = u32::try_from(nanos / 1_000_000_000).unwrap_or(u32::MAX);
        if second > self.current.second
            && let Ok(mut next) = self.empty.try_recv()
        {
            next.second = second;
            let window = std::mem::replace(&mut self.current, next);
            let _ = self.full.send(Full { worker: self.worker, window }); // the collector outlives the workers
        }
        &mut self.current
    }

    /// Sends the last window.
    pub fn finish(self) {
        let _ = self.full.send(Full { worker: self.worker, window: self.current });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleared_window_is_empty() {
        let mut window = Window { second: 3, expected: 1, ..Window::default() };
        window.latencies.response.saturating_record(1_000);
        window.clear();
        window.latencies.response.saturating_record(5_000_000);
        let mut total = Latencies::default();
        total.add(&window.latencies);
        total.add(&window.latencies);
        assert_eq!((window.second, window.expected, total.response.len()), (0, 0, 2));
        assert!(total.response.equivalent(total.response.min(), 5_000_000), "{}", total.response.min());
        assert!(total.response.equivalent(total.response.max(), 5_000_000), "{}", total.response.max());
    }

    #[test]
    fn window_continues_while_the_collector_is_behind() {
        let (full, filled) = mpsc::channel();
        let (empty, emptied) = mpsc::channel();
        let mut recorder = Recorder::new(4, full, emptied);
        recorder.at(999_999_999).sent += 1;
        recorder.at(1_000_000_000).sent += 1;
        assert!(filled.try_recv().is_err(), "no empty window to swap with");
        empty.send(Window::default()).unwrap();
        recorder.at(2_500_000_000).sent += 1;
        let first = filled.try_recv().unwrap();
        assert_eq!((first.worker, first.window.second, first.window.sent), (4, 0, 2));
        recorder.finish();
        let last = filled.try_recv().unwrap();
        assert_eq!((last.window.second, last.window.sent), (2, 1));
    }
}
