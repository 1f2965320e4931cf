//! The streams of one HTTP/2 connection. The HTTP library neither limits their number nor ends them when their
//! connection is gone: a client could open streams without end, reading no response, and their handlers would run on
//! after it left. Both are prevented here.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::{Context, Waker},
};
use tokio::sync::watch;

/// Most streams of a connection that are handled or whose responses have not been read. No well-behaved client has as
/// many: clients that respect the advertised limit assume 100, and others use a few more.
pub(super) const MOST: u32 = 1_000;

/// A connection's side: every stream is notified when the connection ends.
pub(super) struct Streams {
    shared: Rc<Shared>,
    alive: watch::Sender<()>,
}

#[derive(Default)]
struct Shared {
    open: Cell<u32>,
    overrun: Cell<bool>,
    connection: RefCell<Option<Waker>>,
}

impl Streams {
    pub(super) fn new() -> Self {
        Self { shared: Rc::default(), alive: watch::Sender::new(()) }
    }

    /// For the requests on the connection.
    pub(super) fn entrance(&self) -> Entrance {
        Entrance { shared: self.shared.clone(), alive: self.alive.subscribe() }
    }

    /// Whether there were more than [`MOST`]; the connection is woken when that happens later.
    pub(super) fn are_overrun(&self, cx: &Context<'_>) -> bool {
        let mut connection = self.shared.connection.borrow_mut();
        if !connection.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            *connection = Some(cx.waker().clone());
        }
        self.shared.overrun.get()
    }
}

/// Where a request begins its stream.
#[derive(Clone)]
pub(super) struct Entrance {
    shared: Rc<Shared>,
    alive: watch::Receiver<()>,
}

impl Entrance {
    /// A slot for one more; `None` when there are [`MOST`], which ends the connection.
    pub(super) fn enter(&self) -> Option<Slot> {
        if self.shared.open.get() >= MOST {
            self.shared.overrun.set(true);
            if let Some(connection) = self.shared.connection.borrow_mut().take() {
                connection.wake();
            }
            return None;
        }
        self.shared.open.set(self.shared.open.get() + 1);
        Some(Slot(self.shared.clone()))
    }

    /// Resolves when the connection is gone.
    pub(super) async fn closed(mut self) {
        // Nothing is ever sent, so this is the end of the sender.
        while self.alive.changed().await.is_ok() {}
    }
}

/// One stream, until its response has been read.
pub(super) struct Slot(Rc<Shared>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::time::{Duration, timeout};

    #[test]
    fn slots_are_given_back_and_one_too_many_ends_the_connection() {
        let (streams, cx) = (Streams::new(), Context::from_waker(Waker::noop()));
        let entrance = streams.entrance();
        let mut slots: Vec<Slot> = (0..MOST).map(|_| entrance.enter().unwrap()).collect();
        slots.pop();
        slots.push(entrance.clone().enter().expect("one was given back"));
        assert!(!streams.are_overrun(&cx));
        assert!(entrance.enter().is_none() && streams.are_overrun(&cx));
        slots.clear();
        assert!(streams.are_overrun(&cx), "too late");
    }

    #[tokio::test]
    async fn every_stream_is_notified_when_the_connection_ends() {
        let streams = Streams::new();
        let entrance = streams.entrance();
        assert!(timeout(Duration::from_millis(5), entrance.clone().closed()).await.is_err());
        drop(streams);
        timeout(Duration::from_secs(20), entrance.closed()).await.unwrap();
    }
}
