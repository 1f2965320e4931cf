//! The circuit breaker: whether to use Redis at all.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

/// The breaker opens when at least this many failures in a row ...
const FAILURES: u32 = 3;
/// ... span at least this time. With a count alone, one hiccup that delays sixteen concurrent requests would count as
/// an outage.
const MIN_OUTAGE: Duration = Duration::from_millis(25);

/// Closed: requests use Redis. Open: they do not, until the background probe succeeds.
#[derive(Debug)]
pub struct Breaker {
    open: AtomicBool,
    /// Failures since the last success.
    failures: AtomicU32,
    /// When the first of them occurred, in microseconds of the caller's clock.
    since_us: AtomicU64,
}

impl Breaker {
    /// A breaker that is open until its first successful probe.
    pub fn open() -> Self {
        Self { open: AtomicBool::new(true), failures: AtomicU32::new(0), since_us: AtomicU64::new(0) }
    }

    /// Whether requests may use Redis.
    pub fn is_closed(&self) -> bool {
        !self.open.load(Ordering::Acquire)
    }

    /// A response arrived, which ends a series of failures.
    pub fn succeeded(&self) {
        // Read first: a store on every request would bounce the cache line between workers.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// A failure at `now`, relative to any fixed instant; `certain` when it proves that the connection is broken.
    /// Returns true if this one opened the breaker.
    pub fn failed(&self, certain: bool, now: Duration) -> bool {
        let now_us = now.as_micros() as u64;
        let row = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if row == 1 {
            self.since_us.store(now_us, Ordering::Relaxed);
        }
        let lasted_us = now_us.saturating_sub(self.since_us.load(Ordering::Relaxed));
        let outage = row >= FAILURES && lasted_us >= MIN_OUTAGE.as_micros() as u64;
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
    fn opens_once_after_a_sustained_series_of_failures() {
        let breaker = Breaker::open();
        assert!(!breaker.is_closed());
        breaker.close();
        for _ in 0..16 {
            assert!(!breaker.failed(false, ms(1000)), "one hiccup, whatever number of requests it affects");
        }
        breaker.succeeded();
        assert!(
            !breaker.failed(false, ms(1200)) && !breaker.failed(false, ms(1224)),
            "a success ends the series"
        );
        assert!(breaker.is_closed());
        assert!(breaker.failed(false, ms(1225)), "the third, after 25 ms");
        assert!(!breaker.failed(false, ms(1400)), "already open");
        assert!(!breaker.is_closed());
        breaker.close();
        assert!(breaker.is_closed());
        assert!(breaker.failed(true, ms(1500)), "a broken connection opens it at once");
    }

    #[test]
    fn two_failures_far_apart_do_not_open_it() {
        let breaker = Breaker::open();
        breaker.close();
        assert!(!breaker.failed(false, ms(0)) && !breaker.failed(false, ms(60_000)));
        assert!(breaker.failed(false, ms(120_000)), "the third without a success opens it");
    }
}
