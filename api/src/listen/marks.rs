//! The state of an HTTP/1 connection, as far as its time limits need it.

use super::slots::Slot;
use actix_web::dev::ServiceRequest;
use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

/// Where a connection is between its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before the first request. The HTTP layer itself limits the time for its head.
    First,
    /// Requests are being handled.
    Busy(u32),
    /// No request is being handled. The HTTP layer closes a connection that is idle for the keep-alive time, except
    /// when the start of another head arrived with the last request, so this deadline applies as well.
    Idle(Instant),
    /// Part of a head has arrived; the head must be complete by this time.
    Head(Instant),
}

/// Shared by the connection and the requests on it.
pub(super) struct Marks {
    slot: Rc<Slot>,
    phase: Cell<Phase>,
    received: Cell<bool>,
    hung_up: Cell<bool>,
    abandoned: Cell<bool>,
    head_limit: Duration,
    idle_limit: Duration,
}

/// Extra time for the HTTP layer, which closes connections more gracefully.
const GRACE: Duration = Duration::from_millis(500);

impl Marks {
    pub(super) fn new(head_limit: Duration, keep_alive: Duration, slot: Rc<Slot>) -> Self {
        let (received, hung_up, abandoned) = Default::default();
        let idle_limit = keep_alive + GRACE;
        Self { slot, phase: Cell::new(Phase::First), received, hung_up, abandoned, head_limit, idle_limit }
    }

    /// Records that the client closed its half of the connection, or that another connection got its place.
    pub(super) fn hang_up(&self) {
        self.hung_up.set(!self.slot.is_closing());
    }

    /// Drops the request in progress if the client has closed its half, and returns whether it did: nothing is written
    /// on the connection after that.
    pub(super) fn abandon(&self) -> bool {
        self.abandoned.set(self.hung_up.get());
        self.hung_up.get()
    }

    /// Whether a request was dropped.
    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.get()
    }

    /// Records that bytes arrived.
    pub(super) fn received(&self) {
        self.received.set(true);
        if let Phase::Idle(_) = self.phase.get() {
            self.phase.set(Phase::Head(Instant::now() + self.head_limit));
        }
    }

    /// Records that bytes were sent: a client that reads a response slowly is not idle yet.
    pub(super) fn sent(&self) {
        if let Phase::Idle(_) = self.phase.get() {
            self.phase.set(Phase::Idle(Instant::now() + self.idle_limit));
        }
    }

    /// Whether the client has sent any bytes.
    pub(super) fn has_received(&self) -> bool {
        self.received.get()
    }

    /// When the next head must be complete; `None` while requests are handled and before the first.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.phase.get() {
            Phase::Idle(deadline) | Phase::Head(deadline) => Some(deadline),
            Phase::First | Phase::Busy(_) => None,
        }
    }

    /// Whether requests are being handled.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.phase.get(), Phase::Busy(_))
    }
}

/// A request being handled; its connection is idle again when the last of them is dropped.
pub(crate) struct Busy(Rc<Marks>);

impl Busy {
    /// Marks the connection of a request as busy; `None` without a monitored connection (HTTP/2, tests).
    pub(crate) fn of(req: &ServiceRequest) -> Option<Self> {
        req.conn_data::<Rc<Marks>>().map(|marks| Self::on(marks.clone()))
    }

    fn on(marks: Rc<Marks>) -> Self {
        let others = if let Phase::Busy(count) = marks.phase.get() { count } else { 0 };
        marks.phase.set(Phase::Busy(others + 1));
        marks.slot.busy();
        Self(marks)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let others = if let Phase::Busy(count) = self.0.phase.get() { count - 1 } else { 0 };
        if others > 0 {
            return self.0.phase.set(Phase::Busy(others));
        }
        self.0.phase.set(Phase::Idle(Instant::now() + self.0.idle_limit));
        self.0.slot.idle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::slots::tests::slots;
    use futures_util::FutureExt;

    #[test]
    fn every_head_after_the_first_has_a_deadline() {
        let (head, idle) = (Duration::from_secs(5), Duration::from_secs(75));
        let slot = slots(1, 1, "").admit(None).now_or_never().unwrap().unwrap();
        let marks = Rc::new(Marks::new(head, idle, Rc::new(slot)));
        let within = |limit: Duration| {
            let left = marks.deadline().unwrap().saturating_duration_since(Instant::now());
            assert!(left <= limit + GRACE && left > limit / 2, "{left:?} of {limit:?}");
        };
        marks.received();
        assert_eq!(marks.deadline(), None, "the first head is the HTTP layer's");
        let (one, two) = (Busy::on(marks.clone()), Busy::on(marks.clone()));
        marks.received();
        drop(one);
        marks.received();
        assert!(marks.is_busy() && marks.deadline().is_none(), "bodies and pipelined heads are no matter");
        drop(two);
        assert!(!marks.is_busy());
        within(idle);
        marks.received();
        within(head);
        let deadline = marks.deadline();
        marks.received();
        assert_eq!(marks.deadline(), deadline, "a trickle moves nothing");
        let busy = Busy::on(marks.clone());
        assert_eq!(marks.deadline(), None);
        drop(busy);
        within(idle);
    }
}
