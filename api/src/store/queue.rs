//! A bounded queue with many senders and one receiver, which takes everything queued since the last time.

use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Why an item was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The queue is full.
    Full,
    /// The queue is closed.
    Closed,
}

/// The queue. The total weight of its items is at most its capacity.
#[derive(Debug)]
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    wake: Notify,
    capacity: usize,
}

#[derive(Debug)]
struct Inner<T> {
    items: VecDeque<(Instant, usize, T)>,
    weight: usize,
    paused: bool,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let inner = Inner { items: VecDeque::new(), weight: 0, paused: false, closed: false };
        Self { inner: Mutex::new(inner), wake: Notify::new(), capacity }
    }

    /// Appends an item with a weight, or returns why not.
    pub(super) fn push(&self, item: T, weight: usize) -> Result<(), Refusal> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(Refusal::Closed);
        }
        if inner.weight + weight > self.capacity {
            return Err(Refusal::Full);
        }
        inner.weight += weight;
        inner.items.push_back((Instant::now(), weight, item));
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    /// Waits for items, then takes from the front a weight of at most `most`, and at least one item. `None` once the
    /// queue is closed and empty.
    pub(super) async fn take(&self, most: usize) -> Option<Vec<T>> {
        loop {
            {
                let mut inner = self.inner.lock();
                // Closing ends a pause: accepted items must still be served.
                if !inner.items.is_empty() && (!inner.paused || inner.closed) {
                    return Some(inner.take(most));
                }
                if inner.items.is_empty() && inner.closed {
                    return None;
                }
            }
            // A notification between the check and this wait is stored.
            self.wake.notified().await;
        }
    }

    /// While paused nothing is taken.
    pub(super) fn pause(&self, paused: bool) {
        self.inner.lock().paused = paused;
        self.wake.notify_one();
    }

    /// Accepts nothing more; queued items can still be taken.
    pub(super) fn close(&self) {
        self.inner.lock().closed = true;
        self.wake.notify_one();
    }

    /// Total weight of the queued items.
    pub(super) fn weight(&self) -> usize {
        self.inner.lock().weight
    }

    /// How long the first item has waited; zero when the queue is empty.
    pub(super) fn oldest_age(&self) -> Duration {
        self.inner.lock().items.front().map_or(Duration::ZERO, |(since, ..)| since.elapsed())
    }
}

impl<T> Inner<T> {
    fn take(&mut self, most: usize) -> Vec<T> {
        let mut taken = Vec::new();
        let mut weight = 0;
        while let Some((_, next, _)) = self.items.front() {
            if !taken.is_empty() && weight + next > most {
                break;
            }
            weight += next;
            taken.extend(self.items.pop_front().map(|(.., item)| item));
        }
        self.weight -= weight;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn is_bounded_by_weight_and_in_order() {
        let queue = Queue::new(10);
        assert_eq!(queue.push('a', 4), Ok(()));
        assert_eq!(queue.push('b', 6), Ok(()));
        assert_eq!(queue.push('c', 1), Err(Refusal::Full));
        assert_eq!(queue.weight(), 10);
        assert!(queue.oldest_age() > Duration::ZERO);
        assert_eq!(queue.take(5).await, Some(vec!['a']), "b does not fit together with a");
        assert_eq!(queue.take(5).await, Some(vec!['b']), "one item is taken whatever its weight");
        assert_eq!((queue.weight(), queue.oldest_age()), (0, Duration::ZERO));
    }

    #[tokio::test]
    async fn a_pause_holds_items_until_it_ends_or_the_queue_closes() {
        let queue = Arc::new(Queue::new(10));
        queue.pause(true);
        queue.push(1, 1).unwrap();
        let taker = tokio::spawn({
            let queue = queue.clone();
            async move { queue.take(10).await }
        });
        tokio::task::yield_now().await;
        assert!(!taker.is_finished());
        queue.pause(false);
        assert_eq!(taker.await.unwrap(), Some(vec![1]));

        queue.pause(true);
        queue.push(2, 1).unwrap();
        queue.close();
        assert_eq!(queue.push(3, 1), Err(Refusal::Closed));
        assert_eq!(queue.take(10).await, Some(vec![2]), "taken after closing");
        assert_eq!(queue.take(10).await, None);
    }
}
