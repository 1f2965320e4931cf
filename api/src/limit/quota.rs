//! Quotas of the generic cell rate algorithm (ITU-T I.371, annex A) in exact integers. No clock, no I/O.
//!
//! The state of a key is its theoretical arrival time (TAT): the instant at which the quota of an idle client would be
//! full again. The *balance* is the time from now to the TAT. A request adds its cost, in emission intervals, to the
//! balance and is admitted if the result fits the burst.
//!
//! Balances are in *ticks* of 1/`count` microseconds, so that the emission interval, period ÷ count, is an integer
//! number of ticks (the period in microseconds) for every rate, including thirds. The Lua script `redis/gcra.lua`
//! computes in doubles; [`Quota::new`] keeps every number below 2^53, where doubles are exact too.

/// The quota of a policy: a rate and a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    count: u64,
    period_us: u64,
    burst: u64,
}

/// A quota that cannot be computed exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// A zero limit, period or burst.
    #[error("limit and burst must be at least 1")]
    Zero,
    /// More than a million per second.
    #[error("the limit must be at most 1000000 requests per second")]
    TooFast,
    /// burst × period above 2^52 microseconds.
    #[error("burst × period is too large to count exactly; lower the burst or shorten the period")]
    TooLarge,
}

/// One policy's verdict on one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether this policy admits the request.
    pub admitted: bool,
    /// Units left at this instant.
    pub remaining: u64,
    /// Microseconds until the quota is full again, rounded up.
    pub reset_us: u64,
    /// Microseconds until another request of the same cost would be admitted, rounded up; 0 for now.
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
        // One bit below 2^53 leaves room for one request's ticks on top of a full burst.
        match burst.checked_mul(period_us) {
            Some(ticks) if ticks < 1 << 52 => Ok(Self { count, period_us, burst }),
            _ => Err(QuotaError::TooLarge),
        }
    }

    /// Units per period.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The period in microseconds, which is also one unit in ticks.
    pub fn period_us(&self) -> u64 {
        self.period_us
    }

    /// Units an idle client may spend at once.
    pub fn burst(&self) -> u64 {
        self.burst
    }

    /// The largest balance, in ticks.
    pub fn capacity(&self) -> u64 {
        self.burst * self.period_us
    }

    /// Seconds until an emptied quota is full again, rounded up.
    pub fn window_seconds(&self) -> u64 {
        self.capacity().div_ceil(self.count).div_ceil(1_000_000)
    }

    /// Ticks that a request of this cost adds to the balance. All costs above the burst are equal, as none is ever
    /// admitted.
    fn price(&self, cost: u64) -> u64 {
        cost.min(self.burst + 1) * self.period_us
    }

    /// Whether a key with this balance admits a request of this cost.
    pub fn affords(&self, balance: u64, cost: u64) -> bool {
        balance.min(self.capacity()) + self.price(cost) <= self.capacity()
    }

    /// The verdict on a request of this cost, given the balance after the decision.
    pub fn verdict(&self, balance: u64, cost: u64, admitted: bool) -> Verdict {
        let balance = balance.min(self.capacity());
        Verdict {
            admitted,
            remaining: (self.capacity() - balance) / self.period_us,
            reset_us: balance.div_ceil(self.count),
            retry_us: (balance + self.price(cost)).saturating_sub(self.capacity()).div_ceil(self.count),
        }
    }

    /// The part of the quota for one of `instances` gateways when they cannot count together: an equal share of rate
    /// and burst, but a burst of at least the highest cost of a request. The complete quota when its part would be too
    /// large to compute exactly.
    #[must_use]
    pub fn share(&self, instances: u64, highest_cost: u64) -> Self {
        let instances = instances.max(1);
        let burst = (self.burst / instances).max(highest_cost).max(1);
        let period_us = self.period_us.checked_mul(instances);
        period_us.and_then(|period_us| Self::new(self.count, period_us, burst).ok()).unwrap_or(*self)
    }
}

#[cfg(test)]
#[path = "quota_tests.rs"]
mod tests;
