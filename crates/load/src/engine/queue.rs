//! The line in front of one worker's connections: arrivals wait in it, idle connections wait for it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::{Poll, Waker};

/// An arrival on its way; times in nanoseconds from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// The arrival's number over all workers.
    pub number: u64,
    /// When it was due.
    pub due: u64,
    /// When it was dispatched.
    pub dispatched: u64,
}

/// Jobs first come first served; the connection that became idle last is used first, as it is the warmest.
#[derive(Debug)]
pub(crate) struct Line {
    jobs: RefCell<VecDeque<Job>>,
    idle: RefCell<Vec<(usize, Waker)>>,
    /// By connection: whether it is in `idle`.
    is_idle: RefCell<Vec<bool>>,
    closed: Cell<bool>,
}

impl Line {
    /// For connections numbered below `connections`.
    #[must_use]
    pub fn new(connections: usize) -> Self {
        Self {
            jobs: RefCell::default(),
            idle: RefCell::default(),
            is_idle: RefCell::new(vec![false; connections]),
            closed: Cell::new(false),
        }
    }

    /// Jobs waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.borrow().len()
    }

    /// The jobs that wait.
    #[must_use]
    pub fn waiting(&self) -> Vec<Job> {
        self.jobs.borrow().iter().copied().collect()
    }

    /// Adds a job; false when no idle connection was there to be woken for it.
    pub fn push(&self, job: Job) -> bool {
        self.jobs.borrow_mut().push_back(job);
        let Some((connection, waker)) = self.idle.borrow_mut().pop() else { return false };
        self.is_idle.borrow_mut()[connection] = false;
        waker.wake();
        true
    }

    /// No more jobs will come: idle connections end, busy ones when the line is empty.
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

    /// The next job for a connection; `None` once the line is closed and empty. `make` may make a job when none waits:
    /// that is how a closed loop goes on.
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
            // Woken by its socket it may be in the list already; a second entry would swallow another's wake-up.
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
    fn a_spurious_wake_up_takes_no_ones_place() {
        let line = Line::new(2);
        let mut context = Context::from_waker(Waker::noop());
        {
            let mut first = pin!(line.next(0, || None));
            let mut second = pin!(line.next(1, || None));
            assert!(first.as_mut().poll(&mut context).is_pending());
            assert!(first.as_mut().poll(&mut context).is_pending());
            assert!(second.as_mut().poll(&mut context).is_pending());
            assert_eq!(line.idle.borrow().len(), 2);
            assert!(line.push(job(1)) && line.push(job(2)));
            assert!(!line.push(job(3)), "both were woken already");
            assert_eq!(second.poll(&mut context), Poll::Ready(Some(job(1))));
            assert_eq!(first.poll(&mut context), Poll::Ready(Some(job(2))));
        }
        line.close();
        assert_eq!(pin!(line.next(0, || Some(job(9)))).poll(&mut context), Poll::Ready(Some(job(3))));
        assert_eq!(pin!(line.next(0, || Some(job(9)))).poll(&mut context), Poll::Ready(None));
    }
}
