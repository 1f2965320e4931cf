//! Whether to ask Redis at all.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

/// A row of failures opens the breaker when it has at least this many ...
const FAILURES: u32 = 3;
/// ... and has lasted at least this long. A count alone would take one hiccup that makes sixteen concurrent
/// requests late for an outage.
const LASTING: Duration = Duration::from_millis(25);

/// Closed: requests ask Redis. Open: they do not, until the background probe succeeds.
#[derive(Debug)]
pub struct Breaker {
    open: AtomicBool,
    /// Failures since the last success.
    failures: AtomicU32,
    /// When the first of them was, in microseconds of the caller's clock.
    since_us: AtomicU64,
}

impl Breaker {
    /// A breaker that waits for its first successful probe.
    pub fn open() -> Self {
        Self { open: AtomicBool::new(true), failures: AtomicU32::new(0), since_us: AtomicU64::new(0) }
    }

    /// Whether requests may ask.
    pub fn is_closed(&self) -> bool {
        !self.open.load(Ordering::Acquire)
    }

    /// An answer came: the row of failures ends.
    pub fn succeeded(&self) {
        // Read first: a store on every request would bounce the cache line between workers.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// A failure at `now`, counted from any fixed instant; `certain` when it proves that the connection is of no
    /// more use. True if this one opened the breaker.
    pub fn failed(&self, certain: bool, now: Duration) -> bool {
        let now_us = now.as_micros() as u64;
        let row = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if row == 1 {
            self.since_us.store(now_us, Ordering::Relaxed);
        }
        let lasted_us = now_us.saturating_sub(self.since_us.load(Ordering::Relaxed));
        let outage = row >= FAILURES && lasted_us >= LASTING.as_micros() as u64;
        (certain || outage) && !self.open.swap(true, Ordering::AcqRel)
    }

    /// The probe succeeded.
    pub fn close(&self) {
        self.failures.store(0, Ordering::Relaxed);
        self.open.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn opens_after_a_lasting_row_of_failures_and_only_once() {
        let breaker = Breaker::open();
        assert!(!breaker.is_closed());
        breaker.close();
        for _ in 0..16 {
            assert!(!breaker.failed(false, ms(1000)), "one hiccup, however many requests it hits");
        }
        breaker.succeeded();
        assert!(
            !breaker.failed(false, ms(1200)) && !breaker.failed(false, ms(1224)),
            "a success ends the row"
        );
        assert!(breaker.is_closed());
        assert!(breaker.failed(false, ms(1225)), "the third, after a fortieth of a second");
        assert!(!breaker.failed(false, ms(1400)), "it is open already");
        assert!(!breaker.is_closed());
        breaker.close();
        assert!(breaker.is_closed());
        assert!(breaker.failed(true, ms(1500)), "a broken connection opens it at once");
    }

    #[test]
    fn two_failures_far_apart_are_no_row() {
        let breaker = Breaker::open();
        breaker.close();
        assert!(!breaker.failed(false, ms(0)) && !breaker.failed(false, ms(60_000)));
        assert!(breaker.failed(false, ms(120_000)), "three without a success between are");
    }
}
