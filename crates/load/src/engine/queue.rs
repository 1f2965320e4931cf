//! The job queue of one worker: arrivals wait for a connection, idle connections wait for a job.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::{Poll, Waker};

/// An arrival to be sent; times are nanoseconds from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// The arrival's number, counted over all workers.
    pub number: u64,
    /// When it was due.
    pub due: u64,
    /// When it was dispatched.
    pub dispatched: u64,
}

/// Jobs are served in order of arrival. The connection that became idle last is used first, as it is the warmest.
#[derive(Debug)]
pub(crate) struct JobQueue {
    jobs: RefCell<VecDeque<Job>>,
    idle: RefCell<Vec<(usize, Waker)>>,
    /// For each connection, whether it is in `idle`.
    is_idle: RefCell<Vec<bool>>,
    closed: Cell<bool>,
}

impl JobQueue {
    /// A queue for connections numbered below `connections`.
    #[must_use]
    pub fn new(connections: usize) -> Self {
        Self {
            jobs: RefCell::default(),
            idle: RefCell::default(),
            is_idle: RefCell::new(vec![false; connections]),
            closed: Cell::new(false),
        }
    }

    /// The number of waiting jobs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.borrow().len()
    }

    /// The waiting jobs.
    #[must_use]
    pub fn waiting(&self) -> Vec<Job> {
        self.jobs.borrow().iter().copied().collect()
    }

    /// Adds a job and wakes an idle connection for it. Returns false when no connection was idle.
    pub fn push(&self, job: Job) -> bool {
        self.jobs.borrow_mut().push_back(job);
        let Some((connection, waker)) = self.idle.borrow_mut().pop() else { return false };
        self.is_idle.borrow_mut()[connection] = false;
        waker.wake();
        true
    }

    /// Closes the queue: idle connections end at once, busy ones when the queue is empty.
    pub fn close(&self) {
        self.closed.set(true);
        self.is_idle.borrow_mut().fill(false);
        self.idle.borrow_mut().drain(..).for_each(|(_, waker)| waker.wake());
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// The next job for a connection; `None` once the queue is closed and empty. `make` may create a job when none is
    /// waiting, as in a closed loop.
    pub async fn next(&self, connection: usize, make: impl Fn() -> Option<Job>) -> Option<Job> {
        std::future::poll_fn(|context| {
            let job = self.jobs.borrow_mut().pop_front();
            if let Some(job) = job.or_else(|| if self.is_closed() { None } else { make() }) {
                self.no_longer_idle(connection);
                return Poll::Ready(Some(job));
            }
            if self.is_closed() {
                return Poll::Ready(None);
            }
            // A connection woken by its socket may already be listed. A second entry would consume another connection's
            // wake-up.
            if !std::mem::replace(&mut self.is_idle.borrow_mut()[connection], true) {
                self.idle.borrow_mut().push((connection, context.waker().clone()));
            }
            Poll::Pending
        })
        .await
    }

    fn no_longer_idle(&self, connection: usize) {
        if std::mem::replace(&mut self.is_idle.borrow_mut()[connection], false) {
            self.idle.borrow_mut().retain(|(other, _)| *other != connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::Context;

    fn job(number: u64) -> Job {
        Job { number, due: 0, dispatched: 0 }
    }

    #[test]
    fn spurious_wake_up_adds_no_second_entry() {
        let queue = JobQueue::new(2);
        let mut context = Context::from_waker(Waker::noop());
        {
            let mut first = pin!(queue.next(0, || None));
            let mut second = pin!(queue.next(1, || None));
            assert!(first.as_mut().poll(&mut context).is_pending());
            assert!(first.as_mut().poll(&mut context).is_pending());
            assert!(second.as_mut().poll(&mut context).is_pending());
            assert_eq!(queue.idle.borrow().len(), 2);
            assert!(queue.push(job(1)) && queue.push(job(2)));
            assert!(!queue.push(job(3)), "both connections were already woken");
            assert_eq!(second.poll(&mut context), Poll::Ready(Some(job(1))));
            assert_eq!(first.poll(&mut context), Poll::Ready(Some(job(2))));
        }
        queue.close();
        assert_eq!(pin!(queue.next(0, || Some(job(9)))).poll(&mut context), Poll::Ready(Some(job(3))));
        assert_eq!(pin!(queue.next(0, || Some(job(9)))).poll(&mut context), Poll::Ready(None));
    }
}
