//! The GCRA once more, for tests only: big integers, no care for speed or overflow, nothing shared with what it
//! backends.

use num_bigint::BigInt;

/// One key: its theoretical arrival time in whole microseconds, and the fraction in parts of `count`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Oracle {
    tat: Option<(BigInt, BigInt)>,
}

/// The expected result, with times in microseconds, rounded up.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    pub admitted: bool,
    pub remaining: u64,
    pub reset_us: u64,
    pub retry_us: u64,
    /// What the key owes after the decision, in ticks.
    pub balance: u64,
}

impl Oracle {
    /// A key of this theoretical arrival time.
    pub fn at(us: u64, ticks: u64) -> Self {
        Self { tat: Some((us.into(), ticks.into())) }
    }

    /// `count` units per `period_us`, `burst` at once; a request of `cost` at `now_us`.
    pub fn decide(&mut self, count: u64, period_us: u64, burst: u64, now_us: u64, cost: u64) -> Expected {
        let [count, period, burst, now, cost] = [count, period_us, burst, now_us, cost].map(BigInt::from);
        let zero = BigInt::from(0);
        // From here on in ticks, microseconds × count. A fraction stored under a larger count is cut to the largest
        // there is.
        let ticks_of = |(us, ticks): &(BigInt, BigInt)| us * &count + ticks.clone().min(&count - 1);
        let now = now * &count;
        let capacity = &burst * &period;
        let ahead = self.tat.as_ref().map_or(zero.clone(), ticks_of) - &now;
        let balance = ahead.clone().max(zero.clone()).min(capacity.clone());
        // A cost above the burst is never admitted; the retry time reported for it is that of one unit above the burst.
        let price = cost.min(&burst + 1) * &period;
        let admitted = &balance + &price <= capacity;
        let after = if admitted { &balance + &price } else { balance };
        if admitted || ahead > capacity {
            let tat = &now + &after;
            self.tat = Some((&tat / &count, &tat % &count));
        }
        let up = |numerator: BigInt| -> u64 {
            let rounded: BigInt = (numerator.max(zero.clone()) + &count - 1) / &count;
            rounded.try_into().expect("microseconds fit")
        };
        Expected {
            admitted,
            balance: after.clone().try_into().expect("a balance fits"),
            remaining: ((&capacity - &after) / &period).try_into().expect("a remainder fits"),
            reset_us: up(after.clone()),
            retry_us: up(after + price - capacity),
        }
    }
}
