//! Cached refusals. A theoretical arrival time never moves back, so a balance that Redis reported only shrinks with
//! time. Until it has shrunk enough, refusing needs no round trip.

use super::{
    check::{Check, CheckResult},
    shards::{Expires, Shards},
};
use std::time::Duration;

/// A balance reported by Redis, on this process's clock. Redis read its clock at some time between the request and the
/// response, so the balance reaches zero between these two instants (nanoseconds since the origin of all times here).
#[derive(Debug, Clone, Copy)]
struct CachedBalance {
    /// The earliest instant: a refusal before it is certainly right.
    min: u64,
    /// The latest instant: a client that waits until then has waited long enough.
    max: u64,
}

impl Expires for CachedBalance {
    fn expired(&self, now: Duration) -> bool {
        u128::from(self.min) <= now.as_nanos()
    }
}

/// Balances that made Redis refuse, with a cap on their number; beyond it Redis decides again.
#[derive(Debug)]
pub(super) struct CachedRefusals(Shards<CachedBalance>);

impl CachedRefusals {
    pub(super) fn new(cap: usize) -> Self {
        Self(Shards::new(cap))
    }

    /// Stores a balance, in ticks, that Redis reported between `sent_at` and `received_at`.
    pub(super) fn remember(&self, check: &Check, balance: u64, sent_at: Duration, received_at: Duration) {
        // Ticks are 1/count microseconds.
        let ahead = u128::from(balance) * 1000;
        let count = u128::from(check.quota.count());
        let proof = CachedBalance {
            min: (sent_at.as_nanos() + ahead / count) as u64,
            max: (received_at.as_nanos() + ahead.div_ceil(count)) as u64,
        };
        let slot = (check.reading, check.key.clone());
        let mut shard = self.0.lock(self.0.index(&slot));
        if shard.get(&slot).is_some() {
            self.0.put(&mut shard, slot, proof);
        } else if self.0.reserve(&mut shard, received_at) {
            shard.insert(slot, proof);
        }
    }

    /// The refusal of one policy's check at `now`, if a cached one still holds.
    pub(super) fn find(&self, check: &Check, now: Duration) -> Option<CheckResult> {
        if check.shadow || self.0.held() == 0 {
            return None;
        }
        let slot = (check.reading, check.key.clone());
        let proof = *self.0.lock(self.0.index(&slot)).get(&slot)?;
        let ticks = |ahead: u64| u128::from(ahead) * u128::from(check.quota.count());
        let now = now.as_nanos() as u64;
        let min = (ticks(proof.min.saturating_sub(now)) / 1000) as u64;
        if check.quota.affords(min, check.cost) {
            return None;
        }
        let max = ticks(proof.max.saturating_sub(now)).div_ceil(1000) as u64;
        Some(CheckResult::to(check, max, false))
    }

    /// Removes refusals that hold no longer.
    pub(super) fn sweep(&self, now: Duration) {
        self.0.sweep(now);
    }

    /// Removes everything: Redis may have lost the balances, or the policies have changed.
    pub(super) fn clear(&self) {
        self.0.clear();
    }

    /// Number of balances held.
    pub(super) fn held(&self) -> usize {
        self.0.held()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{Caller, PolicySet, oracle::Oracle};
    use proptest::prelude::*;

    fn check(limit: &str, burst: u64, cost: u64) -> Check {
        let text = format!("[[policy]]\nname='p'\nlimit='{limit}'\nburst={burst}\ncost={cost}\n");
        let set = PolicySet::parse("test", &text).unwrap();
        let policy = &set.policies()[0];
        Check::new(0, [0; 2], policy, "/", policy.key.of("/", &Caller::by_address(None)).unwrap())
    }

    #[test]
    fn a_cached_refusal_of_a_high_cost_does_not_refuse_a_low_cost() {
        let refusals = CachedRefusals::new(10);
        let now = Duration::from_secs(9);
        let (dear, cheap) = (check("1/s", 10, 5), check("1/s", 10, 1));
        // Seven of ten are used: a cost of five does not fit, a cost of one does.
        refusals.remember(&dear, 7_000_000, now, now);
        assert_eq!(refusals.find(&dear, now).unwrap().verdict.retry_us, 2_000_000);
        assert_eq!(refusals.find(&cheap, now), None);
        assert_eq!(refusals.find(&dear, now + Duration::from_secs(2)), None);
        refusals.clear();
        assert_eq!((refusals.find(&dear, now), refusals.held()), (None, 0));
    }

    #[test]
    fn beyond_the_cap_redis_decides_again() {
        let refusals = CachedRefusals::new(0);
        let (check, now) = (check("1/s", 1, 1), Duration::ZERO);
        refusals.remember(&check, 1_000_000, now, now);
        assert_eq!(refusals.find(&check, now), None);
    }

    proptest! {
        /// Whenever Redis read its clock between request and response: what is refused here Redis would refuse too, and
        /// a client that waits as long as `Retry-After` states would be admitted.
        #[test]
        fn a_cached_refusal_equals_the_decision_of_redis(
            limit in proptest::sample::select(vec!["100/s", "3/s", "7/m", "1/d", "999983/s"]),
            burst in 1u64..50, cost in 1u64..5,
            spent in 0u64..60, before in 0u64..5_000, after in 0u64..5_000,
            // Around the instant at which Redis would admit, where it matters.
            offset in -12_000i64..12_000,
        ) {
            let cost = cost.min(burst);
            let check = check(limit, burst, cost);
            let quota = check.quota;
            // On Redis's clock, in microseconds: the time of the decision, and the state then.
            let decided = 1_790_000_000_000_000u64;
            let balance = (spent * quota.period_us()).min(quota.capacity());
            let redis = Oracle::at(decided + balance / quota.count(), balance % quota.count());
            let admits_at = |now| redis.clone().decide(quota.count(), quota.period_us(), quota.burst(), now, cost).admitted;
            prop_assume!(!quota.affords(balance, cost));
            // This process's clock reads a million seconds less.
            let here = |redis_us: u64| Duration::from_micros(redis_us - 1_000_000_000_000);
            let (sent_at, received_at) = (here(decided - before), here(decided + after));
            let refusals = CachedRefusals::new(10);
            refusals.remember(&check, balance, sent_at, received_at);
            let admits = decided + quota.verdict(balance, cost, false).retry_us;
            let later = admits.saturating_add_signed(offset).max(decided + after);
            match refusals.find(&check, here(later)) {
                Some(result) => {
                    prop_assert!(!admits_at(later), "Redis would have admitted");
                    let retry = result.verdict.retry_us;
                    prop_assert!(retry > 0);
                    prop_assert!(admits_at(later + retry), "the wait is too short");
                }
                // The refusal ends no later than one round trip before Redis would admit.
                None => prop_assert!(admits_at(later + before)),
            }
        }
    }
}
