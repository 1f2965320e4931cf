//! A Redis connection per thread.
//!
//! Over a connection that all threads share, each decision wakes the thread that drives it, and that thread wakes the
//! caller: with one worker, a decision costs two thirds more CPU than when the worker drives the connection itself. So
//! each calling thread gets its own. It is valid as long as the shared connection it was created beside. Until it is
//! ready, or when it cannot be created, the shared one is used.

use super::connection::Connection;
use std::{
    cell::{Cell, RefCell},
    sync::{Arc, OnceLock},
};

/// Backends a thread remembers; more than one only in tests.
const MAX: usize = 4;

/// Late responses in a row after which a thread reconnects. Other threads may be served well meanwhile, so nothing else
/// would notice.
const LATE: u32 = 3;

thread_local! {
    static LATE_IN_A_ROW: Cell<u32> = const { Cell::new(0) };
    static OWN: RefCell<Vec<Own>> = const { RefCell::new(Vec::new()) };
}

/// Slot of a connection, filled once it is ready.
pub(super) type Slot = Arc<OnceLock<Connection>>;

struct Own {
    of: Of,
    slot: Slot,
}

/// Identifies a shared connection: the number of the backend, and how many it had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Of {
    pub backend: u64,
    pub epoch: u64,
}

/// The result of a look-up.
pub(super) enum Found {
    /// The thread's own connection.
    Ready(Connection),
    /// Being created, or failed.
    Absent,
    /// Not started yet: the caller must create one and put it here.
    Wanted(Slot),
}

/// Looks up this thread's own connection.
pub(super) fn find(of: Of) -> Found {
    OWN.with_borrow_mut(|own| {
        if let Some(known) = own.iter().find(|known| known.of == of) {
            return known.slot.get().cloned().map_or(Found::Absent, Found::Ready);
        }
        own.retain(|known| known.of.backend != of.backend);
        if own.len() >= MAX {
            own.remove(0);
        }
        let slot = Slot::default();
        own.push(Own { of, slot: slot.clone() });
        Found::Wanted(slot)
    })
}

/// A response arrived in time.
pub(super) fn on_time() {
    LATE_IN_A_ROW.set(0);
}

/// A response was late: this thread's connection may be broken.
pub(super) fn late(of: Of) {
    LATE_IN_A_ROW.set(LATE_IN_A_ROW.get() + 1);
    if LATE_IN_A_ROW.get() >= LATE {
        LATE_IN_A_ROW.set(0);
        OWN.with_borrow_mut(|own| own.retain(|known| known.of != of));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_connects_once_per_epoch_and_remembers_few_backends() {
        let of = |backend, epoch| Of { backend, epoch };
        assert!(matches!(find(of(1, 0)), Found::Wanted(_)));
        assert!(matches!(find(of(1, 0)), Found::Absent));
        assert!(matches!(find(of(1, 1)), Found::Wanted(_)), "the shared one was replaced");
        assert!(matches!(find(of(1, 1)), Found::Absent));
        for backend in 2..=5 {
            assert!(matches!(find(of(backend, 0)), Found::Wanted(_)));
        }
        assert_eq!(OWN.with_borrow(Vec::len), MAX);
        assert!(matches!(find(of(1, 1)), Found::Wanted(_)), "replaced by another backend");
    }

    #[test]
    fn gives_up_a_connection_that_is_always_late() {
        let of = Of { backend: 7, epoch: 0 };
        assert!(matches!(find(of), Found::Wanted(_)));
        for _ in 0..2 {
            late(of);
        }
        on_time();
        for _ in 0..2 {
            late(of);
        }
        assert!(matches!(find(of), Found::Absent), "never three in a row");
        late(of);
        assert!(matches!(find(of), Found::Wanted(_)));
    }
}
