//! `governor` as the GCRA of one balance. Its own stores have no cap and charge each policy separately. Here it
//! receives a balance and returns the new one, and the caller decides whether to store it. The clock stands still
//! during a decision: balances are relative to now.

use crate::limit::quota::{Quota, Verdict};
use governor::{
    Quota as GovernorQuota, RateLimiter,
    clock::Clock,
    middleware::StateInformationMiddleware,
    nanos::Nanos,
    state::{NotKeyed, StateStore},
};
use std::{cell::Cell, num::NonZeroU32, time::Duration};

/// A quota in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Time of one unit, rounded up, so that never more is granted than the policy allows.
    interval: u64,
    burst: NonZeroU32,
}

/// The balance of the decision, in nanoseconds.
struct Balance<'a>(&'a Cell<u64>);

impl StateStore for Balance<'_> {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _key: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (outcome, next) = decide(Some(Nanos::new(self.0.get())))?;
        self.0.set(next.as_u64());
        Ok(outcome)
    }
}

/// A clock that stands still.
#[derive(Debug, Clone)]
struct Standstill;

impl Clock for Standstill {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(0)
    }
}

impl Scale {
    fn of(quota: &Quota) -> Self {
        let burst = u32::try_from(quota.burst()).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX);
        // At most a day times the number of instances, far below 2^64.
        Self { interval: quota.period_us().saturating_mul(1000).div_ceil(quota.count()), burst }
    }

    fn capacity(&self) -> u64 {
        self.interval.saturating_mul(u64::from(self.burst.get()))
    }
}

/// The largest balance under a quota, in nanoseconds. A larger one, left by a laxer policy, is cut to it.
pub(super) fn most(quota: &Quota) -> u64 {
    Scale::of(quota).capacity()
}

/// Decides a request of this cost for a balance in nanoseconds, at most [`most`]: the verdict and the balance after it.
pub(super) fn check(quota: &Quota, balance: u64, cost: u64) -> (Verdict, u64) {
    let scale = Scale::of(quota);
    let balance = Cell::new(balance.min(scale.capacity()));
    let units = u32::try_from(cost).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX);
    let limit = GovernorQuota::with_period(Duration::from_nanos(scale.interval))
        .expect("the period of a quota is above zero")
        .allow_burst(scale.burst);
    let limiter: RateLimiter<_, _, _, StateInformationMiddleware> =
        RateLimiter::new(limit, Balance(&balance), Standstill);
    let outcome = limiter.check_n(units);
    let balance = balance.get();
    let left = || u64::from(scale.burst.get()) - balance.div_ceil(scale.interval);
    let next = || scale.interval.saturating_mul(u64::from(units.get())).saturating_add(balance);
    let (admitted, remaining, wait) = match outcome {
        Ok(Ok(state)) => {
            (true, u64::from(state.remaining_burst_capacity()), next().saturating_sub(scale.capacity()))
        }
        Ok(Err(refusal)) => (false, left(), refusal.wait_time_from(Nanos::new(0)).as_nanos() as u64),
        // The cost exceeds the burst; policy files cannot say so.
        Err(_) => (false, left(), next().saturating_sub(scale.capacity())),
    };
    let verdict = Verdict {
        admitted,
        remaining,
        reset_us: balance.div_ceil(1000),
        retry_us: wait.div_ceil(1000).max(u64::from(!admitted)),
    };
    (verdict, balance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::oracle::Oracle;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn the_burst_and_the_wait_are_exact() {
        for (count, period, burst, cost) in
            [(100, SECOND, 200, 1), (3, SECOND, 5, 1), (7, 60 * SECOND, 50, 3), (1, 86_400 * SECOND, 9, 9)]
        {
            let quota = Quota::new(count, period, burst).unwrap();
            let (mut balance, mut admitted) = (0, 0);
            let refused = loop {
                let (verdict, after) = check(&quota, balance, cost);
                if !verdict.admitted {
                    assert_eq!(after, balance, "a refusal charges nothing");
                    break verdict;
                }
                assert_eq!(verdict.remaining, burst - (admitted + 1) * cost);
                (balance, admitted) = (after, admitted + 1);
            };
            assert_eq!(admitted, burst / cost);
            let waited = balance.saturating_sub(refused.retry_us * 1000);
            assert!(check(&quota, waited, cost).0.admitted, "on time");
            let early = balance.saturating_sub((refused.retry_us - 1) * 1000);
            assert!(!check(&quota, early, cost).0.admitted, "a microsecond early");
        }
    }

    proptest! {
        /// Compared with the oracle it never grants a request more, and at most as many fewer as rounding the interval
        /// costs.
        #[test]
        fn governor_agrees_with_the_oracle(
            count in 1u64..5000, seconds in 1u64..100, burst in 1u64..200,
            steps in proptest::collection::vec((0u64..400_000, 1u64..4), 1..150),
        ) {
            let quota = Quota::new(count, seconds * SECOND, burst).unwrap();
            let (mut oracle, mut balance, mut now) = (Oracle::default(), 0u64, SECOND);
            let (mut granted, mut expected, mut price) = (0i64, 0i64, 0);
            for (gap, cost) in steps {
                balance = balance.saturating_sub(gap * 1000);
                now += gap;
                let cost = cost.min(burst);
                let (verdict, after) = check(&quota, balance, cost);
                balance = after;
                if verdict.admitted {
                    granted += cost as i64;
                }
                if oracle.decide(count, seconds * SECOND, burst, now, cost).admitted {
                    expected += cost as i64;
                }
                price = price.max(cost as i64);
                prop_assert!(granted <= expected + price && expected <= granted + price, "{} {}", granted, expected);
                prop_assert!(verdict.remaining <= burst);
            }
        }
    }
}
