use super::*;
use crate::limit::oracle::{Expected, Oracle};
use proptest::prelude::*;

/// From one unit a day to a million a second, all exact.
fn quotas() -> impl Strategy<Value = Quota> {
    let second = 1u64..=86_400;
    let burst = prop_oneof![1u64..12, 1u64..=50_000]; // some are below the costs of requests
    (1u64..=1_000_000, second, burst)
        .prop_filter_map("inexact", |(count, seconds, burst)| Quota::new(count, seconds * SECOND, burst).ok())
}

/// Microseconds between requests: none, few, many, and clocks that step back.
fn gaps() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(0), 4 => 1i64..50, 4 => 1i64..3_000_000, 1 => 1i64..90_000_000_000, 1 => -5_000_000i64..0]
}

const SECOND: u64 = 1_000_000;
/// A realistic epoch: microseconds since 1970, above 2^50.
const NOW: u64 = 1_790_000_000 * SECOND;

fn decide(key: &mut Oracle, quota: Quota, now: u64, cost: u64) -> Expected {
    key.decide(quota.count(), quota.period_us(), quota.burst(), now, cost)
}

/// The TAT of a key; a request beyond the burst is refused and charges nothing.
fn balance(key: &Oracle, quota: Quota, now: u64) -> u64 {
    decide(&mut key.clone(), quota, now, quota.burst() + 1).balance
}

/// The core's verdict next to the oracle's decision.
fn verdict(quota: Quota, decided: &Expected, cost: u64) -> Verdict {
    quota.verdict(decided.balance, cost, decided.admitted)
}

fn burst_from_idle(quota: Quota, now: u64) -> (u64, Oracle) {
    burst_from(quota, Oracle::default(), now)
}

fn burst_from(quota: Quota, mut key: Oracle, now: u64) -> (u64, Oracle) {
    let mut admitted = 0;
    while decide(&mut key, quota, now, 1).admitted {
        admitted += 1;
    }
    (admitted, key)
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
fn a_client_is_admitted_exactly_after_the_retry_time() {
    for (count, period, burst) in [(100, SECOND, 200), (3, SECOND, 4), (7, 60 * SECOND, 1)] {
        let quota = Quota::new(count, period, burst).unwrap();
        let (_, mut key) = burst_from_idle(quota, NOW);
        let before = key.clone();
        let refused = decide(&mut key, quota, NOW, 1);
        assert!(!refused.admitted && key == before);
        let verdict = verdict(quota, &refused, 1);
        assert_eq!(verdict.remaining, 0);
        assert!(verdict.retry_us > 0);
        assert!(
            !decide(&mut key.clone(), quota, NOW + verdict.retry_us - 1, 1).admitted,
            "a microsecond early"
        );
        assert!(decide(&mut key, quota, NOW + verdict.retry_us, 1).admitted, "on time");
    }
}

#[test]
fn thirds_do_not_drift() {
    // 3 a second, each as early as possible, over an hour: exactly 10,800 and the initial burst. (With a burst of 1
    // the client's own rounding to microseconds would leave the key idle.)
    let quota = Quota::new(3, SECOND, 2).unwrap();
    let (mut key, mut now, mut admitted) = (Oracle::default(), NOW, 0);
    while now <= NOW + 3600 * SECOND {
        let decided = decide(&mut key, quota, now, 1);
        if decided.admitted {
            admitted += 1;
        } else {
            now += verdict(quota, &decided, 1).retry_us;
        }
    }
    assert_eq!(admitted, 10_802);
}

#[test]
fn a_raised_limit_is_not_blocked_by_old_state() {
    let strict = Quota::new(1, 86_400 * SECOND, 10).unwrap();
    let (_, mut key) = burst_from_idle(strict, NOW);
    let lax = Quota::new(100, SECOND, 200).unwrap();
    let refused = decide(&mut key, lax, NOW, 1);
    assert_eq!((refused.admitted, refused.balance), (false, lax.capacity()));
    let wait = verdict(lax, &refused, 1).retry_us;
    assert_eq!(wait, 10_000);
    // Ten days of old balance are two seconds under the new limit, and they pass.
    assert!(decide(&mut key.clone(), lax, NOW + wait, 1).admitted);
    let (admitted, _) = burst_from(lax, key, NOW + 2 * SECOND);
    assert_eq!(admitted, 200);
}

#[test]
fn a_balance_shrinks_to_zero_at_the_reset() {
    let quota = Quota::new(100, SECOND, 200).unwrap();
    let (_, key) = burst_from_idle(quota, NOW);
    let full = quota.verdict(balance(&key, quota, NOW), 1, false);
    assert_eq!((full.reset_us, full.remaining), (2 * SECOND, 0));
    let half = quota.verdict(balance(&key, quota, NOW + SECOND), 1, true);
    assert_eq!((half.reset_us, half.remaining), (SECOND, 100));
    assert_eq!(balance(&key, quota, NOW + 2 * SECOND), 0);
}

#[test]
fn rejects_quotas_that_cannot_be_exact() {
    assert_eq!(Quota::new(0, 1, 1), Err(QuotaError::Zero));
    assert_eq!(Quota::new(1, SECOND, 0), Err(QuotaError::Zero));
    assert_eq!(Quota::new(SECOND + 1, SECOND, 1), Err(QuotaError::TooFast));
    assert_eq!(Quota::new(1, 86_400 * SECOND, 1_000_000), Err(QuotaError::TooLarge));
}

#[test]
fn a_costly_request_is_charged_its_cost_and_gets_its_retry_time() {
    let quota = Quota::new(10, SECOND, 20).unwrap();
    let mut key = Oracle::default();
    let first = decide(&mut key, quota, NOW, 15);
    assert_eq!(verdict(quota, &first, 15).remaining, 5);
    let second = decide(&mut key, quota, NOW, 15);
    assert!(!second.admitted);
    // Ten more units at ten a second.
    assert_eq!(verdict(quota, &second, 15).retry_us, SECOND);
    assert!(decide(&mut key, quota, NOW, 5).admitted, "a request of lower cost is still admitted");
    assert!(!quota.affords(0, 21), "never");
}

#[test]
fn instances_share_rate_and_burst() {
    let quota = Quota::new(100, SECOND, 200).unwrap();
    assert_eq!(quota.share(1, 1), quota);
    assert_eq!(quota.share(0, 1), quota);
    assert_eq!(quota.share(3, 1), Quota::new(100, 3 * SECOND, 66).unwrap());
    assert_eq!(quota.share(1000, 5).burst(), 5, "at least one request is admitted");
    let large = Quota::new(1, 86_400 * SECOND, 50_000).unwrap();
    assert_eq!(large.share(u64::MAX, 1), large);
}

proptest! {
    /// The core matches the oracle for any sequence of requests, with a change of limits in the middle.
    #[test]
    fn the_core_agrees_with_the_oracle(
        first in quotas(), second in quotas(),
        steps in proptest::collection::vec((gaps(), 1u64..12), 1..120),
    ) {
        let (mut oracle, mut now) = (Oracle::default(), NOW);
        for (step, (gap, cost)) in steps.iter().enumerate() {
            let quota = if step < steps.len() / 2 { first } else { second };
            now = now.saturating_add_signed(*gap);
            let before = balance(&oracle, quota, now);
            let expected = decide(&mut oracle, quota, now, *cost);
            let verdict = verdict(quota, &expected, *cost);
            prop_assert_eq!(
                (quota.affords(before, *cost), verdict.remaining, verdict.reset_us, verdict.retry_us),
                (expected.admitted, expected.remaining, expected.reset_us, expected.retry_us)
            );
            prop_assert!(expected.balance <= quota.capacity());
        }
    }

    /// In any window of W microseconds no more are admitted than the burst plus the refill of W.
    #[test]
    fn never_more_than_burst_plus_refill(
        count in 1u64..500, period_s in 1u64..60, burst in 1u64..50,
        gaps in proptest::collection::vec(0u64..300_000, 1..300),
    ) {
        let quota = Quota::new(count, period_s * SECOND, burst).unwrap();
        let (mut key, mut now) = (Oracle::default(), NOW);
        let mut admitted = Vec::new();
        for gap in gaps {
            now += gap;
            if decide(&mut key, quota, now, 1).admitted {
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
