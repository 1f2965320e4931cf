//! A connection to Redis of a thread's own.
//!
//! Over a connection that all threads share, each decision wakes the thread that drives it, and that thread wakes the
//! one that asked: with one worker, two thirds more CPU a decision than when the worker drives the connection itself. So each
//! thread that asks gets one. It is good for as long as the shared one it was made beside; until it is
//! there, or when it cannot be had, the shared one serves.

use redis::aio::MultiplexedConnection;
use std::{
    cell::RefCell,
    sync::{Arc, OnceLock},
};

/// Judges a thread remembers; more than one only in tests.
const MOST: usize = 4;

thread_local! {
    static OWN: RefCell<Vec<Own>> = const { RefCell::new(Vec::new()) };
}

/// Where a connection will be once it stands.
pub(super) type Place = Arc<OnceLock<MultiplexedConnection>>;

struct Own {
    of: Of,
    place: Place,
}

/// Which shared connection: the judge's number, and how many it had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Of {
    pub judge: u64,
    pub epoch: u64,
}

/// What a thread finds.
pub(super) enum Found {
    /// Its own connection.
    Ready(MultiplexedConnection),
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
        own.retain(|known| known.of.judge != of.judge);
        if own.len() >= MOST {
            own.remove(0);
        }
        let place = Place::default();
        own.push(Own { of, place: place.clone() });
        Found::Wanted(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_begins_once_an_epoch_and_remembers_few_judges() {
        let of = |judge, epoch| Of { judge, epoch };
        assert!(matches!(find(of(1, 0)), Found::Wanted(_)));
        assert!(matches!(find(of(1, 0)), Found::Absent));
        assert!(matches!(find(of(1, 1)), Found::Wanted(_)), "the shared one was replaced");
        assert!(matches!(find(of(1, 1)), Found::Absent));
        for judge in 2..=5 {
            assert!(matches!(find(of(judge, 0)), Found::Wanted(_)));
        }
        assert_eq!(OWN.with_borrow(Vec::len), MOST);
        assert!(matches!(find(of(1, 1)), Found::Wanted(_)), "forgotten for another");
    }
}
