//! The generic cell rate algorithm (ITU-T I.371, annex A) in exact integers. No clock, no I/O: time is an argument.
//!
//! A key's whole state is its theoretical arrival time (TAT): the instant at which an idle client would be whole
//! again. What lies between now and the TAT is the key's *debt*. A request adds its cost in emission intervals to the
//! debt and passes if the debt then fits the burst.
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
    /// The fraction of a microsecond, in ticks, below the `count` of the policy that stored it.
    pub ticks: u64,
}

/// What becomes of a key by one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// Whether the request passes.
    pub admitted: bool,
    /// The debt after it, in ticks.
    pub debt: u64,
    /// The state to store; `None`: as it was.
    pub store: Option<Tat>,
}

/// One policy's answer for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether this policy lets the request pass.
    pub admitted: bool,
    /// Units that are left at this instant; a request takes its cost of them, mostly one.
    pub remaining: u64,
    /// Microseconds until the key is whole again, rounded up.
    pub reset_us: u64,
    /// Microseconds until another request of the same cost would pass, rounded up; 0 when one would pass now.
    pub retry_us: u64,
}

impl Quota {
    /// `count` units per `period_us` microseconds, `burst` of them at once.
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

    /// Units per period.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The period in microseconds, which is also the price of one unit in ticks.
    pub fn period_us(&self) -> u64 {
        self.period_us
    }

    /// Units an idle client may spend at once.
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

    /// The debt in ticks of a key at `now_us`, and whether it was cut: a debt larger than the burst (left by an older,
    /// laxer policy or by a clock that stepped back) counts as a full burst.
    fn debt(&self, stored: Option<Tat>, now_us: u64) -> (u64, bool) {
        let Some(tat) = stored else { return (0, false) };
        let Some(us) = tat.us.checked_sub(now_us) else { return (0, false) };
        // A fraction left by a policy with a larger count may pass a whole microsecond of this one.
        let debt = us.saturating_mul(self.count).saturating_add(tat.ticks.min(self.count - 1));
        (debt.min(self.capacity()), debt > self.capacity())
    }

    /// Decides one request of this cost at `now_us`.
    pub fn decide(&self, stored: Option<Tat>, now_us: u64, cost: u64) -> Decided {
        let (before, cut) = self.debt(stored, now_us);
        let admitted = self.affords(before, cost);
        let debt = if admitted { before + self.price(cost) } else { before };
        // What was cut is stored although nothing is charged: else it would count as a full burst again and again, and a
        // limit that was raised would stay blocked by what is left of the old one.
        let store =
            (admitted || cut).then(|| Tat { us: now_us + debt / self.count, ticks: debt % self.count });
        Decided { admitted, debt, store }
    }

    /// What a request of this cost adds to the debt, in ticks. Past the burst all costs are the same: never payable.
    fn price(&self, cost: u64) -> u64 {
        cost.min(self.burst + 1) * self.period_us
    }

    /// Whether a key of this debt could pay for a request of this cost.
    pub fn affords(&self, debt: u64, cost: u64) -> bool {
        debt.min(self.capacity()) + self.price(cost) <= self.capacity()
    }

    /// What to tell the client of a request of this cost, given the debt after the decision.
    pub fn verdict(&self, debt: u64, cost: u64, admitted: bool) -> Verdict {
        let debt = debt.min(self.capacity());
        Verdict {
            admitted,
            remaining: (self.capacity() - debt) / self.period_us,
            reset_us: debt.div_ceil(self.count),
            retry_us: (debt + self.price(cost)).saturating_sub(self.capacity()).div_ceil(self.count),
        }
    }

    /// The part of the quota that one of `instances` gateways may grant by itself when they cannot count together: the
    /// same share of rate and burst for each, but a burst that pays for at least one request of the dearest kind.
    /// The whole quota where its part would be too large to count exactly.
    #[must_use]
    pub fn share(&self, instances: u64, dearest: u64) -> Self {
        let instances = instances.max(1);
        let burst = (self.burst / instances).max(dearest).max(1);
        let period_us = self.period_us.checked_mul(instances);
        period_us.and_then(|period_us| Self::new(self.count, period_us, burst).ok()).unwrap_or(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::oracle::Oracle;
    use proptest::prelude::*;

    /// From one unit a day to a million a second, every one exact.
    fn quotas() -> impl Strategy<Value = Quota> {
        let second = 1u64..=86_400;
        (1u64..=1_000_000, second, 1u64..=50_000).prop_filter_map("inexact", |(count, seconds, burst)| {
            Quota::new(count, seconds * SECOND, burst).ok()
        })
    }

    /// Microseconds between requests: none, few, many, and clocks that step back.
    fn gaps() -> impl Strategy<Value = i64> {
        prop_oneof![4 => Just(0), 4 => 1i64..50, 4 => 1i64..3_000_000, 1 => 1i64..90_000_000_000, 1 => -5_000_000i64..0]
    }

    const SECOND: u64 = 1_000_000;
    /// A realistic epoch: microseconds since 1970, above 2^50.
    const NOW: u64 = 1_790_000_000 * SECOND;

    fn burst_from_idle(quota: Quota, now: u64) -> (u64, Option<Tat>) {
        burst_from(quota, None, now)
    }

    fn burst_from(quota: Quota, mut state: Option<Tat>, now: u64) -> (u64, Option<Tat>) {
        let mut admitted = 0;
        loop {
            let decided = quota.decide(state, now, 1);
            if !decided.admitted {
                break;
            }
            state = decided.store;
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
            let refused = quota.decide(state, NOW, 1);
            assert_eq!((refused.admitted, refused.store), (false, None));
            let verdict = quota.verdict(refused.debt, 1, false);
            assert_eq!(verdict.remaining, 0);
            assert!(verdict.retry_us > 0);
            assert!(!quota.decide(state, NOW + verdict.retry_us - 1, 1).admitted, "a microsecond early");
            assert!(quota.decide(state, NOW + verdict.retry_us, 1).admitted, "on time");
        }
    }

    #[test]
    fn thirds_do_not_drift() {
        // 3 a second, each as early as it may come, over an hour: exactly 10,800 and the burst of the start. (With
        // a burst of 1 the client's own rounding up to a microsecond would idle the key.)
        let quota = Quota::new(3, SECOND, 2).unwrap();
        let (mut state, mut now, mut admitted) = (None, NOW, 0);
        while now <= NOW + 3600 * SECOND {
            let decided = quota.decide(state, now, 1);
            if decided.admitted {
                state = decided.store;
                admitted += 1;
            } else {
                now += quota.verdict(decided.debt, 1, false).retry_us;
            }
        }
        assert_eq!(admitted, 10_802);
    }

    #[test]
    fn a_raised_limit_is_not_held_back_by_old_state() {
        let strict = Quota::new(1, 86_400 * SECOND, 10).unwrap();
        let (_, state) = burst_from_idle(strict, NOW);
        let lax = Quota::new(100, SECOND, 200).unwrap();
        let refused = lax.decide(state, NOW, 1);
        assert_eq!((refused.admitted, refused.debt), (false, lax.capacity()));
        let wait = lax.verdict(refused.debt, 1, false).retry_us;
        assert_eq!(wait, 10_000);
        // Ten days of old debt are two seconds of the new limit's, and they pass.
        assert!(lax.decide(refused.store, NOW + wait, 1).admitted);
        let (admitted, _) = burst_from(lax, refused.store, NOW + 2 * SECOND);
        assert_eq!(admitted, 200);
    }

    #[test]
    fn a_debt_shrinks_with_time_and_is_gone_at_the_reset() {
        let quota = Quota::new(100, SECOND, 200).unwrap();
        let (_, state) = burst_from_idle(quota, NOW);
        let full = quota.verdict(quota.debt(state, NOW).0, 1, false);
        assert_eq!((full.reset_us, full.remaining), (2 * SECOND, 0));
        let half = quota.verdict(quota.debt(state, NOW + SECOND).0, 1, true);
        assert_eq!((half.reset_us, half.remaining), (SECOND, 100));
        assert_eq!(quota.debt(state, NOW + 2 * SECOND).0, 0);
    }

    #[test]
    fn quotas_that_cannot_be_exact_are_refused() {
        assert_eq!(Quota::new(0, 1, 1), Err(QuotaError::Zero));
        assert_eq!(Quota::new(1, SECOND, 0), Err(QuotaError::Zero));
        assert_eq!(Quota::new(SECOND + 1, SECOND, 1), Err(QuotaError::TooFast));
        assert_eq!(Quota::new(1, 86_400 * SECOND, 1_000_000), Err(QuotaError::TooLarge));
    }

    #[test]
    fn a_dear_request_takes_its_cost_and_is_told_when_it_could() {
        let quota = Quota::new(10, SECOND, 20).unwrap();
        let first = quota.decide(None, NOW, 15);
        assert_eq!(quota.verdict(first.debt, 15, first.admitted).remaining, 5);
        let second = quota.decide(first.store, NOW, 15);
        assert!(!second.admitted);
        // Ten more units at ten a second.
        assert_eq!(quota.verdict(second.debt, 15, false).retry_us, SECOND);
        assert!(quota.decide(first.store, NOW, 5).admitted, "a cheap one still passes");
        assert!(!quota.affords(0, 21), "never");
    }

    #[test]
    fn instances_share_rate_and_burst() {
        let quota = Quota::new(100, SECOND, 200).unwrap();
        assert_eq!(quota.share(1, 1), quota);
        assert_eq!(quota.share(0, 1), quota);
        assert_eq!(quota.share(3, 1), Quota::new(100, 3 * SECOND, 66).unwrap());
        assert_eq!(quota.share(1000, 5).burst(), 5, "one request passes at least");
        let large = Quota::new(1, 86_400 * SECOND, 50_000).unwrap();
        assert_eq!(large.share(u64::MAX, 1), large);
    }

    proptest! {
        /// The core beside the oracle over any sequence of requests, with a change of limits in the middle.
        #[test]
        fn the_core_agrees_with_the_oracle(
            first in quotas(), second in quotas(),
            steps in proptest::collection::vec((gaps(), 1u64..12), 1..120),
        ) {
            let (mut state, mut oracle, mut now) = (None, Oracle::default(), NOW);
            for (step, (gap, cost)) in steps.iter().enumerate() {
                let quota = if step < steps.len() / 2 { first } else { second };
                now = now.saturating_add_signed(*gap);
                let expected = oracle.decide(quota.count(), quota.period_us(), quota.burst(), now, *cost);
                let decided = quota.decide(state, now, *cost);
                let verdict = quota.verdict(decided.debt, *cost, decided.admitted);
                prop_assert_eq!(
                    (decided.admitted, verdict.remaining, verdict.reset_us, verdict.retry_us),
                    (expected.admitted, expected.remaining, expected.reset_us, expected.retry_us)
                );
                prop_assert!(decided.debt <= quota.capacity());
                state = decided.store.or(state);
            }
        }

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
                let decided = quota.decide(state, now, 1);
                if decided.admitted {
                    state = decided.store;
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
