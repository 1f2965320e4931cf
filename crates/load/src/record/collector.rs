//! Collects the windows of the workers into totals and rows, on its own thread.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use crate::record::run::{MAX_ROWS, Row};
use crate::record::window::{Full, Latencies, Window};

/// The data collected so far.
#[derive(Debug)]
pub struct Gathered {
    /// Latencies of the whole run.
    pub latencies: Latencies,
    /// One row per step, oldest first. An endless run keeps the last [`MAX_ROWS`].
    pub rows: VecDeque<Row>,
    /// Seconds per row.
    pub step: u32,
}

impl Gathered {
    /// Starts empty; `seconds` is the length of the run, if known.
    #[must_use]
    pub fn new(seconds: Option<u64>) -> Self {
        let step = seconds.map_or(1, |seconds| seconds.div_ceil(MAX_ROWS as u64).max(1));
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        Self { latencies: Latencies::default(), rows: VecDeque::new(), step }
    }
}

/// Merges windows. A step is complete when every worker is past it.
#[derive(Debug)]
pub struct Collector {
    into: Arc<Mutex<Gathered>>,
    step: u32,
    /// Returns emptied windows to each worker.
    empties: Vec<mpsc::Sender<Window>>,
    /// The first second that each worker may still report.
    reached: Vec<u32>,
    open: BTreeMap<u32, Window>,
    spare: Vec<Window>,
}

impl Collector {
    /// `empties` has one channel per worker.
    #[must_use]
    pub fn new(into: Arc<Mutex<Gathered>>, empties: Vec<mpsc::Sender<Window>>) -> Self {
        let step = into.lock().unwrap_or_else(PoisonError::into_inner).step;
        let reached = vec![0; empties.len()];
        Self { into, step, empties, reached, open: BTreeMap::new(), spare: Vec::new() }
    }

    /// Collects until every worker has ended.
    pub fn run(mut self, windows: &mpsc::Receiver<Full>) {
        while let Ok(full) = windows.recv() {
            self.take(full);
        }
        self.close_before(u32::MAX);
    }

    fn take(&mut self, Full { worker, window }: Full) {
        self.into.lock().unwrap_or_else(PoisonError::into_inner).latencies.add(&window.latencies);
        self.reached[worker] = window.second.saturating_add(1); // windows are sent in order
        let step = window.second / self.step;
        let emptied = match self.open.get_mut(&step) {
            Some(open) => {
                open.add(&window);
                let mut window = window;
                window.clear();
                window
            }
            None => {
                self.open.insert(step, window);
                self.spare.pop().unwrap_or_default()
            }
        };
        let _ = self.empties[worker].send(emptied); // the worker may have ended
        let slowest = self.reached.iter().min().copied().unwrap_or(0);
        self.close_before(slowest / self.step);
    }

    fn close_before(&mut self, step: u32) {
        while let Some(entry) = self.open.first_entry()
            && *entry.key() < step
        {
            let (step, mut window) = entry.remove_entry();
            window.second = step.saturating_mul(self.step);
            let row = Row::of(&window);
            let mut into = self.into.lock().unwrap_or_else(PoisonError::into_inner);
            if into.rows.len() == MAX_ROWS {
                into.rows.pop_front();
            }
            into.rows.push_back(row);
            drop(into);
            window.clear();
            self.spare.push(window);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(second: u32, expected: u32) -> Window {
        let mut window = Window { second, expected, ..Window::default() };
        for _ in 0..expected {
            window.latencies.response.saturating_record(5_000_000);
        }
        window
    }

    #[test]
    fn merges_the_seconds_of_two_workers_in_order() {
        let into = Arc::new(Mutex::new(Gathered::new(Some(10))));
        let (first, first_back) = mpsc::channel();
        let (second, second_back) = mpsc::channel();
        let (send, receive) = mpsc::channel();
        // Worker 0 is ahead; worker 1 skips second 1.
        for (worker, second, expected) in [(0, 0, 3), (0, 1, 4), (1, 0, 5), (0, 2, 6), (1, 2, 7)] {
            send.send(Full { worker, window: window(second, expected) }).unwrap();
        }
        drop(send);
        Collector::new(Arc::clone(&into), vec![first, second]).run(&receive);
        let into = into.lock().unwrap();
        let rows: Vec<_> =
            into.rows.iter().map(|row| (row.second, row.expected, row.response_p50 / 100)).collect();
        assert_eq!(rows, [(0, 8, 50), (1, 4, 50), (2, 13, 50)]);
        assert_eq!(into.latencies.response.len(), 25);
        let returned: Vec<_> = first_back.try_iter().chain(second_back.try_iter()).collect();
        assert_eq!(returned.len(), 5);
        assert!(returned.iter().all(|window| window.expected == 0 && window.latencies.response.is_empty()));
    }

    #[test]
    fn long_runs_have_longer_steps() {
        for (seconds, step) in
            [(None, 1), (Some(0), 1), (Some(86_400), 1), (Some(86_401), 2), (Some(604_800), 7)]
        {
            assert_eq!(Gathered::new(seconds).step, step, "{seconds:?}");
        }
    }
}
