//! A connection to Redis of a thread's own.
//!
//! Over a connection that all threads share, each decision wakes the thread that drives it, and that thread wakes the
//! one that asked: with one worker, two thirds more CPU a decision than when the worker drives the connection itself. So each
//! thread that asks gets one. It is good for as long as the shared one it was made beside; until it is
//! there, or when it cannot be had, the shared one serves.

use super::connection::Connection;
use std::{
    cell::{Cell, RefCell},
    sync::{Arc, OnceLock},
};

/// Judges a thread remembers; more than one only in tests.
const MOST: usize = 4;

/// Answers late in a row after which a thread looks for another connection: others may be served well meanwhile, so that
/// nobody else would notice.
const LATE: u32 = 3;

thread_local! {
    static LATE_IN_A_ROW: Cell<u32> = const { Cell::new(0) };
    static OWN: RefCell<Vec<Own>> = const { RefCell::new(Vec::new()) };
}

/// Where a connection will be once it stands.
pub(super) type Place = Arc<OnceLock<Connection>>;

struct Own {
    of: Of,
    place: Place,
}

/// Which shared connection: the server's number, and how many it had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Of {
    pub backend: u64,
    pub epoch: u64,
}

/// What a thread finds.
pub(super) enum Found {
    /// Its own connection.
    Ready(Connection),
    /// It is being made, or could not be.
    Absent,
    /// Nobody has begun to make it: the caller is to put one here.
    Wanted(Place),
}

/// This thread's own connection.
pub(super) fn find(of: Of) -> Found {
    OWN.with_borrow_mut(|own| {
        if let Some(known) = own.iter().find(|known| known.of == of) {
            return known.place.get().cloned().map_or(Found::Absent, Found::Ready);
        }
        own.retain(|known| known.of.backend != of.backend);
        if own.len() >= MOST {
            own.remove(0);
        }
        let place = Place::default();
        own.push(Own { of, place: place.clone() });
        Found::Wanted(place)
    })
}

/// An answer came in time.
pub(super) fn on_time() {
    LATE_IN_A_ROW.set(0);
}

/// An answer did not come in time: perhaps this thread's connection is of no more use.
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
    fn a_thread_begins_once_an_epoch_and_remembers_few_judges() {
        let of = |backend, epoch| Of { backend, epoch };
        assert!(matches!(find(of(1, 0)), Found::Wanted(_)));
        assert!(matches!(find(of(1, 0)), Found::Absent));
        assert!(matches!(find(of(1, 1)), Found::Wanted(_)), "the shared one was replaced");
        assert!(matches!(find(of(1, 1)), Found::Absent));
        for backend in 2..=5 {
            assert!(matches!(find(of(backend, 0)), Found::Wanted(_)));
        }
        assert_eq!(OWN.with_borrow(Vec::len), MOST);
        assert!(matches!(find(of(1, 1)), Found::Wanted(_)), "forgotten for another");
    }

    #[test]
    fn a_connection_that_is_always_late_is_given_up() {
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
