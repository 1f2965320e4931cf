//! The generic cell rate algorithm (ITU-T I.371, annex A) in exact integers. No clock, no I/O: time is an argument.
//!
//! A key's whole state is its theoretical arrival time (TAT): the instant at which an idle client would be whole
//! again. What lies between now and the TAT is the key's *debt*. A request adds one emission interval to the debt
//! and passes if the debt then fits the burst.
//!
//! Debts are counted in *ticks* of 1/`count` microseconds, so that the emission interval, period ÷ count, is a whole
//! number of ticks (the period in microseconds) for every rate, thirds included. The Lua script in `gcra.lua` does
//! the same arithmetic in doubles; [`Quota::new`] keeps every number below 2^53, where doubles are exact too.

/// What one policy grants: a rate and a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    count: u64,
    period_us: u64,
    burst: u64,
}

/// A quota outside what the arithmetic can hold exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// Zero requests, zero period or zero burst.
    #[error("limit and burst must be at least 1")]
    Zero,
    /// More than a million a second.
    #[error("at most 1000000 requests a second can be told apart")]
    TooFast,
    /// burst × period past 2^52 microseconds.
    #[error("burst × period is too large to count exactly; lower the burst or shorten the period")]
    TooLarge,
}

/// A stored theoretical arrival time: microseconds of the judge's clock and the rest in ticks, below `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tat {
    /// Whole microseconds since the clock's epoch.
    pub us: u64,
    /// The fraction of a microsecond, in ticks.
    pub ticks: u64,
}

/// One policy's answer for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether this policy lets the request pass.
    pub admitted: bool,
    /// Requests that would still pass at this instant.
    pub remaining: u64,
    /// Microseconds until the key is whole again, rounded up.
    pub reset_us: u64,
    /// Microseconds until one request would pass, rounded up; 0 when one would pass now.
    pub retry_us: u64,
}

impl Quota {
    /// `count` requests per `period_us` microseconds, `burst` of them at once.
    ///
    /// # Errors
    /// [`QuotaError`] when a number is zero or the product is too large to be exact.
    pub fn new(count: u64, period_us: u64, burst: u64) -> Result<Self, QuotaError> {
        if count == 0 || period_us == 0 || burst == 0 {
            return Err(QuotaError::Zero);
        }
        if count > period_us {
            return Err(QuotaError::TooFast);
        }
        // One bit below 2^53 leaves room for a request's worth of ticks on top of a full burst.
        match burst.checked_mul(period_us) {
            Some(ticks) if ticks < 1 << 52 => Ok(Self { count, period_us, burst }),
            _ => Err(QuotaError::TooLarge),
        }
    }

    /// Requests per period.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The period in microseconds, which is also the price of one request in ticks.
    pub fn period_us(&self) -> u64 {
        self.period_us
    }

    /// Requests an idle client may send at once.
    pub fn burst(&self) -> u64 {
        self.burst
    }

    /// The largest debt, in ticks.
    pub fn capacity(&self) -> u64 {
        self.burst * self.period_us
    }

    /// Seconds an emptied key needs to be whole, rounded up.
    pub fn window_seconds(&self) -> u64 {
        self.capacity().div_ceil(self.count).div_ceil(1_000_000)
    }

    /// The debt in ticks of a key at `now_us`. A debt larger than the burst (left by an older, laxer policy or by a
    /// clock that stepped back) counts as a full burst, so a change of limits takes effect at once.
    pub fn debt(&self, stored: Option<Tat>, now_us: u64) -> u64 {
        let Some(tat) = stored else { return 0 };
        let Some(us) = tat.us.checked_sub(now_us) else { return 0 };
        if us > self.capacity() / self.count {
            return self.capacity();
        }
        (us * self.count + tat.ticks).min(self.capacity())
    }

    /// Decides one request at `now_us`: the debt after it and, if it passes, the state to store.
    pub fn decide(&self, stored: Option<Tat>, now_us: u64) -> (u64, Option<Tat>) {
        let debt = self.debt(stored, now_us);
        if !self.affords(debt) {
            return (debt, None);
        }
        let after = debt + self.period_us;
        (after, Some(Tat { us: now_us + after / self.count, ticks: after % self.count }))
    }

    /// Whether a key of this debt could pay for one more request.
    pub fn affords(&self, debt: u64) -> bool {
        debt + self.period_us <= self.capacity()
    }

    /// What to tell the client, given the debt after the decision.
    pub fn verdict(&self, debt: u64, admitted: bool) -> Verdict {
        let debt = debt.min(self.capacity());
        Verdict {
            admitted,
            remaining: (self.capacity() - debt) / self.period_us,
            reset_us: debt.div_ceil(self.count),
            retry_us: (debt + self.period_us).saturating_sub(self.capacity()).div_ceil(self.count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000;
    /// A realistic epoch: microseconds since 1970, above 2^50.
    const NOW: u64 = 1_790_000_000 * SECOND;

    fn burst_from_idle(quota: Quota, now: u64) -> (u64, Option<Tat>) {
        let (mut admitted, mut state) = (0, None);
        while let (_, Some(next)) = quota.decide(state, now) {
            state = Some(next);
            admitted += 1;
        }
        (admitted, state)
    }

    #[test]
    fn an_idle_key_admits_its_burst_exactly() {
        for (count, period, burst) in [
            (100, SECOND, 200),
            (3, SECOND, 1),
            (7, 60 * SECOND, 50),
            (1, 86_400 * SECOND, 5),
            (SECOND, SECOND, 1000),
        ] {
            let quota = Quota::new(count, period, burst).unwrap();
            assert_eq!(burst_from_idle(quota, NOW).0, burst, "{count}/{period} burst {burst}");
        }
    }

    #[test]
    fn a_client_that_waits_exactly_the_retry_time_passes_and_no_sooner() {
        for (count, period, burst) in [(100, SECOND, 200), (3, SECOND, 4), (7, 60 * SECOND, 1)] {
            let quota = Quota::new(count, period, burst).unwrap();
            let (_, state) = burst_from_idle(quota, NOW);
            let (debt, refused) = quota.decide(state, NOW);
            assert_eq!(refused, None);
            let verdict = quota.verdict(debt, false);
            assert_eq!(verdict.remaining, 0);
            assert!(verdict.retry_us > 0);
            assert!(quota.decide(state, NOW + verdict.retry_us - 1).1.is_none(), "a microsecond early");
            assert!(quota.decide(state, NOW + verdict.retry_us).1.is_some(), "on time");
        }
    }

    #[test]
    fn thirds_do_not_drift() {
        // 3 a second, each as early as it may come, over an hour: exactly 10,800 and the burst of the start. (With
        // a burst of 1 the client's own rounding up to a microsecond would idle the key.)
        let quota = Quota::new(3, SECOND, 2).unwrap();
        let (mut state, mut now, mut admitted) = (None, NOW, 0);
        while now <= NOW + 3600 * SECOND {
            let (debt, next) = quota.decide(state, now);
            match next {
                Some(next) => {
                    state = Some(next);
                    admitted += 1;
                }
                None => now += quota.verdict(debt, false).retry_us,
            }
        }
        assert_eq!(admitted, 10_802);
    }

    #[test]
    fn a_raised_limit_is_not_held_back_by_old_state() {
        let strict = Quota::new(1, 86_400 * SECOND, 10).unwrap();
        let (_, state) = burst_from_idle(strict, NOW);
        let lax = Quota::new(100, SECOND, 200).unwrap();
        let debt = lax.debt(state, NOW);
        assert_eq!(debt, lax.capacity());
        assert_eq!(lax.verdict(debt, false).retry_us, 10_000);
    }

    #[test]
    fn a_debt_shrinks_with_time_and_is_gone_at_the_reset() {
        let quota = Quota::new(100, SECOND, 200).unwrap();
        let (_, state) = burst_from_idle(quota, NOW);
        let full = quota.verdict(quota.debt(state, NOW), false);
        assert_eq!((full.reset_us, full.remaining), (2 * SECOND, 0));
        let half = quota.verdict(quota.debt(state, NOW + SECOND), true);
        assert_eq!((half.reset_us, half.remaining), (SECOND, 100));
        assert_eq!(quota.debt(state, NOW + 2 * SECOND), 0);
    }

    #[test]
    fn quotas_that_cannot_be_exact_are_refused() {
        assert_eq!(Quota::new(0, 1, 1), Err(QuotaError::Zero));
        assert_eq!(Quota::new(1, SECOND, 0), Err(QuotaError::Zero));
        assert_eq!(Quota::new(SECOND + 1, SECOND, 1), Err(QuotaError::TooFast));
        assert_eq!(Quota::new(1, 86_400 * SECOND, 1_000_000), Err(QuotaError::TooLarge));
    }

    proptest! {
        /// In any window of W microseconds no more pass than the burst plus what the rate refills in W.
        #[test]
        fn never_more_than_burst_plus_refill(
            count in 1u64..500, period_s in 1u64..60, burst in 1u64..50,
            gaps in proptest::collection::vec(0u64..300_000, 1..300),
        ) {
            let quota = Quota::new(count, period_s * SECOND, burst).unwrap();
            let (mut state, mut now) = (None, NOW);
            let mut admitted = Vec::new();
            for gap in gaps {
                now += gap;
                if let (debt, Some(next)) = quota.decide(state, now) {
                    prop_assert!(debt <= quota.capacity());
                    state = Some(next);
                    admitted.push(now);
                }
            }
            for (i, from) in admitted.iter().enumerate() {
                for (j, to) in admitted.iter().enumerate().skip(i) {
                    let refill = (to - from) * count / (period_s * SECOND);
                    prop_assert!((j - i + 1) as u64 <= burst + refill);
                }
            }
        }
    }
}
