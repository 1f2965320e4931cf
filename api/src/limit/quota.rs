//! Quotas of the generic cell rate algorithm (ITU-T I.371, annex A) in exact integers. No clock, no I/O.
//!
//! A key's whole state is its theoretical arrival time (TAT): the instant at which an idle client would be whole
//! again. What lies between now and the TAT is the key's *balance*. A request adds its cost in emission intervals to the
//! balance and passes if the balance then fits the burst.
//!
//! Balances are counted in *ticks* of 1/`count` microseconds, so that the emission interval, period ÷ count, is a whole
//! number of ticks (the period in microseconds) for every rate, thirds included. The Lua script that decides,
//! `redis/gcra.lua`, counts in doubles; [`Quota::new`] keeps every number below 2^53, where doubles are exact too.

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

    /// The largest balance, in ticks.
    pub fn capacity(&self) -> u64 {
        self.burst * self.period_us
    }

    /// Seconds an emptied key needs to be whole, rounded up.
    pub fn window_seconds(&self) -> u64 {
        self.capacity().div_ceil(self.count).div_ceil(1_000_000)
    }

    /// What a request of this cost adds to the balance, in ticks. Past the burst all costs are the same: never payable.
    fn price(&self, cost: u64) -> u64 {
        cost.min(self.burst + 1) * self.period_us
    }

    /// Whether a key of this balance could pay for a request of this cost.
    pub fn affords(&self, balance: u64, cost: u64) -> bool {
        balance.min(self.capacity()) + self.price(cost) <= self.capacity()
    }

    /// What to tell the client of a request of this cost, given the balance after the decision.
    pub fn verdict(&self, balance: u64, cost: u64, admitted: bool) -> Verdict {
        let balance = balance.min(self.capacity());
        Verdict {
            admitted,
            remaining: (self.capacity() - balance) / self.period_us,
            reset_us: balance.div_ceil(self.count),
            retry_us: (balance + self.price(cost)).saturating_sub(self.capacity()).div_ceil(self.count),
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
#[path = "quota_tests.rs"]
mod tests;
