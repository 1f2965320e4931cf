//! The local judge: `governor`, the whole limiter without Redis and the stand-in when Redis is gone.

use super::{ClientKey, Policy, Quota, Verdict};
use governor::{
    Quota as GovernorQuota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use std::{num::NonZeroU32, time::Duration};

type Keyed =
    RateLimiter<ClientKey, DefaultKeyedStateStore<ClientKey>, DefaultClock, StateInformationMiddleware>;

/// One in-memory limiter per policy.
pub(super) struct LocalJudge {
    limiters: Vec<(Quota, Keyed)>,
    clock: DefaultClock,
}

impl LocalJudge {
    pub(super) fn new(policies: &[Policy]) -> Self {
        let limiters = policies.iter().map(|policy| (policy.quota, keyed(policy.quota))).collect();
        Self { limiters, clock: DefaultClock::default() }
    }

    /// Asks the policies at these positions, in order, up to the first that refuses. Those before it have been
    /// charged: `governor` has no way to look without taking.
    pub(super) fn decide(&self, policies: &[usize], client: &ClientKey) -> Vec<(usize, Verdict)> {
        let mut verdicts = Vec::with_capacity(policies.len());
        for &index in policies {
            let (quota, limiter) = &self.limiters[index];
            let debt_and_outcome = match limiter.check_key(client) {
                Ok(state) => {
                    let left = u64::from(state.remaining_burst_capacity()).min(quota.burst());
                    (quota.capacity() - left * quota.period_us(), true)
                }
                Err(refusal) => {
                    let wait = refusal.wait_time_from(self.clock.now());
                    let wait_us = wait.as_nanos().div_ceil(1000).max(1) as u64;
                    // The debt that takes exactly this wait to become payable.
                    let over = wait_us.saturating_mul(quota.count()).min(quota.period_us());
                    (quota.capacity() - quota.period_us() + over, false)
                }
            };
            let verdict = quota.verdict(debt_and_outcome.0, debt_and_outcome.1);
            verdicts.push((index, verdict));
            if !verdict.admitted {
                break;
            }
        }
        verdicts
    }

    /// Forgets keys whose debt is paid: they are as good as new.
    pub(super) fn sweep(&self) {
        for (_, limiter) in &self.limiters {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    /// Keys held.
    pub(super) fn keys(&self) -> usize {
        self.limiters.iter().map(|(_, limiter)| limiter.len()).sum()
    }
}

fn keyed(quota: Quota) -> Keyed {
    // Rounded up to a nanosecond, so the local judge never grants more than the policy.
    let interval = Duration::from_nanos((quota.period_us() * 1000).div_ceil(quota.count()));
    let burst = u32::try_from(quota.burst()).unwrap_or(u32::MAX);
    let burst = NonZeroU32::new(burst).expect("Quota::new refuses a burst of zero");
    let quota =
        GovernorQuota::with_period(interval).expect("Quota::new refuses a period of zero").allow_burst(burst);
    RateLimiter::keyed(quota).with_middleware()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::PolicySet;

    fn judge(text: &str) -> (PolicySet, LocalJudge) {
        let set = PolicySet::parse("test", text).unwrap();
        let judge = LocalJudge::new(set.policies());
        (set, judge)
    }

    #[test]
    fn admits_the_burst_per_client_and_then_says_how_long_to_wait() {
        let (_, judge) = judge("[[policy]]\nname='slow'\nlimit='1/h'\nburst=5\n");
        let client = |last| ClientKey::V4([192, 0, 2, last].into());
        for left in (0..5).rev() {
            let [(0, verdict)] = judge.decide(&[0], &client(1))[..] else { panic!("one verdict") };
            assert_eq!((verdict.admitted, verdict.remaining, verdict.retry_us > 0), (true, left, left == 0));
        }
        let [(0, refused)] = judge.decide(&[0], &client(1))[..] else { panic!("one verdict") };
        assert!(!refused.admitted);
        assert_eq!(refused.remaining, 0);
        assert!((3_590_000_000..=3_600_000_000).contains(&refused.retry_us), "{}", refused.retry_us);
        assert!(judge.decide(&[0], &client(2))[0].1.admitted, "another client has a burst of its own");
        assert_eq!(judge.keys(), 2);
        judge.sweep();
        assert_eq!(judge.keys(), 2, "debts are kept");
    }

    #[test]
    fn paid_debts_are_forgotten() {
        let (_, judge) = judge("[[policy]]\nname='fast'\nlimit='1000000/s'\nburst=5\n");
        judge.decide(&[0], &ClientKey::Unknown);
        std::thread::sleep(Duration::from_millis(5));
        judge.sweep();
        assert_eq!(judge.keys(), 0);
    }
}
