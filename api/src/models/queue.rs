//! A bounded queue whose items can leave early.

use parking_lot::{Condvar, Mutex};
use prometheus::IntGauge;
use std::{collections::VecDeque, sync::Arc};

/// Items waiting for a thread, first come, first served.
#[derive(Debug)]
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    arrived: Condvar,
    bound: usize,
    depth: IntGauge,
}

#[derive(Debug)]
struct Inner<T> {
    waiting: VecDeque<(u64, T)>,
    next: u64,
    stopped: bool,
}

/// Why an item was not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The queue is full.
    Full,
    /// The queue is stopped.
    Stopped,
}

/// An item's place in the queue. Dropping it removes the item if it is still there.
#[derive(Debug)]
pub(super) struct Ticket<T> {
    queue: Arc<Queue<T>>,
    number: u64,
}

impl<T> Queue<T> {
    /// A queue of at most `bound` items; `depth` is their number.
    pub(super) fn new(bound: usize, depth: IntGauge) -> Self {
        let inner = Inner { waiting: VecDeque::new(), next: 0, stopped: false };
        Self { inner: Mutex::new(inner), arrived: Condvar::new(), bound, depth }
    }

    pub(super) fn push(self: &Arc<Self>, work: T) -> Result<Ticket<T>, Refusal> {
        let mut inner = self.inner.lock();
        if inner.stopped {
            return Err(Refusal::Stopped);
        }
        if inner.waiting.len() >= self.bound {
            return Err(Refusal::Full);
        }
        let number = inner.next;
        inner.next += 1;
        inner.waiting.push_back((number, work));
        self.show(&inner);
        self.arrived.notify_one();
        Ok(Ticket { queue: self.clone(), number })
    }

    /// The oldest item, waiting for one if needed; `None` once stopped.
    pub(super) fn pop(&self) -> Option<T> {
        let mut inner = self.inner.lock();
        loop {
            if inner.stopped {
                return None;
            }
            if let Some((_, work)) = inner.waiting.pop_front() {
                self.show(&inner);
                return Some(work);
            }
            self.arrived.wait(&mut inner);
        }
    }

    /// Stops the queue: accepts nothing more, drops its items and wakes waiting threads.
    pub(super) fn stop(&self) {
        let mut inner = self.inner.lock();
        inner.stopped = true;
        let dropped = std::mem::take(&mut inner.waiting);
        self.show(&inner);
        drop(inner);
        drop(dropped);
        self.arrived.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.inner.lock().stopped
    }

    fn remove(&self, number: u64) {
        let mut inner = self.inner.lock();
        let found = inner.waiting.binary_search_by_key(&number, |(number, _)| *number);
        let removed = found.ok().and_then(|at| inner.waiting.remove(at));
        self.show(&inner);
        drop(inner);
        drop(removed);
    }

    // Under the lock, so that the gauge never ends with an outdated value.
    fn show(&self, inner: &Inner<T>) {
        self.depth.set(inner.waiting.len() as i64);
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        self.queue.remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(bound: usize) -> (Arc<Queue<u32>>, IntGauge) {
        let depth = IntGauge::new("depth", "depth").unwrap();
        (Arc::new(Queue::new(bound, depth.clone())), depth)
    }

    #[test]
    fn serves_in_order_and_holds_at_most_the_bound() {
        let (queue, depth) = queue(2);
        let first = queue.push(1).unwrap();
        let second = queue.push(2).unwrap();
        assert_eq!(queue.push(3).unwrap_err(), Refusal::Full);
        assert_eq!(depth.get(), 2);
        assert_eq!(queue.pop(), Some(1));
        let third = queue.push(3).unwrap();
        drop(first);
        assert_eq!(depth.get(), 2, "a taken item has no place left to give up");
        drop(second);
        assert_eq!((queue.pop(), depth.get()), (Some(3), 0), "items that left are skipped");
        drop(third);
    }

    #[test]
    fn a_stop_drops_items_and_wakes_threads() {
        let (queue, depth) = queue(2);
        let waiter = std::thread::spawn({
            let queue = queue.clone();
            move || [queue.pop(), queue.pop()]
        });
        let _ticket = queue.push(1).unwrap();
        while depth.get() > 0 {
            std::thread::yield_now();
        }
        queue.stop();
        assert_eq!(waiter.join().unwrap(), [Some(1), None]);
        assert_eq!(queue.push(2).unwrap_err(), Refusal::Stopped);
    }
}
