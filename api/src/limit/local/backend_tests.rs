use super::*;
use crate::limit::{Caller, ClientKey, Key, PolicySet};
use std::sync::{
    Arc, Barrier,
    atomic::{AtomicU64, Ordering},
};

const NOW: Duration = Duration::from_secs(5);

fn checks(text: &str, client: u8) -> Vec<Check> {
    let set = PolicySet::parse("test", text).unwrap();
    let caller = Caller::by_address(Some([192, 0, 2, client].into()));
    let check = |(index, policy): (usize, &crate::limit::Policy)| {
        Check::new(index, [index as u32; 2], policy, "/", policy.key.of("/", &caller).unwrap())
    };
    set.policies().iter().enumerate().map(check).collect()
}

fn policy(name: &str, limit: &str, burst: u64) -> String {
    format!("[[policy]]\nname='{name}'\nlimit='{limit}'\nburst={burst}\n")
}

#[test]
fn admits_the_burst_per_client_and_then_reports_the_wait() {
    let backend = LocalBackend::new(100);
    let slow = policy("slow", "1/h", 5);
    for left in (0..5).rev() {
        let [result] = backend.decide(checks(&slow, 1).iter(), 1, NOW)[..] else { panic!("one result") };
        assert_eq!((result.verdict.admitted, result.verdict.remaining), (true, left));
    }
    let [refused] = backend.decide(checks(&slow, 1).iter(), 1, NOW)[..] else { panic!("one result") };
    assert_eq!((refused.verdict.admitted, refused.verdict.remaining), (false, 0));
    assert_eq!(refused.verdict.retry_us, 3_600_000_000);
    assert!(
        backend.decide(checks(&slow, 2).iter(), 1, NOW)[0].verdict.admitted,
        "another client's own burst"
    );
    assert_eq!(backend.held(), 2);
    backend.sweep(NOW + Duration::from_secs(3_600));
    assert_eq!(backend.held(), 1, "one balance lasts five hours, the other's hour has passed");
    backend.sweep(NOW + Duration::from_secs(5 * 3_600));
    assert_eq!(backend.held(), 0);
}

#[test]
fn a_refusal_by_one_policy_charges_no_other_policy() {
    let backend = LocalBackend::new(100);
    let both = checks(&(policy("wide", "1/d", 10) + &policy("narrow", "1/d", 1)), 1);
    assert!(backend.decide(both.iter(), 1, NOW).iter().all(|result| result.verdict.admitted));
    for _ in 0..5 {
        let results = backend.decide(both.iter(), 1, NOW);
        let outcome: Vec<_> = results.iter().map(|result| result.verdict.admitted).collect();
        assert_eq!(outcome, [true, false]);
        assert_eq!(results[0].verdict.remaining, 9, "the client sees the remaining quota");
    }
    assert_eq!(backend.decide(both[..1].iter(), 1, NOW)[0].verdict.remaining, 8);
    // In the other order, with a new key.
    let backend = LocalBackend::new(100);
    backend.decide(both[1..].iter(), 1, NOW);
    assert!(backend.decide(both.iter(), 1, NOW)[1].refuses());
    assert_eq!(backend.held(), 1, "no room stays reserved for a refused new key");
}

#[test]
fn a_shadow_policy_counts_but_never_refuses() {
    let backend = LocalBackend::new(100);
    let text = policy("wide", "1/d", 3) + &policy("shade", "1/d", 1) + "shadow=true\n";
    let outcomes: Vec<_> = (0..4)
        .map(|_| {
            let results = backend.decide(checks(&text, 1).iter(), 1, NOW);
            (results.iter().any(CheckResult::refuses), results[1].verdict.admitted)
        })
        .collect();
    assert_eq!(outcomes, [(false, true), (false, false), (false, false), (true, false)]);
}

#[test]
fn a_raised_limit_is_not_blocked_by_an_old_balance() {
    let backend = LocalBackend::new(100);
    let strict = checks(&policy("p", "1/d", 10), 1);
    while backend.decide(strict.iter(), 1, NOW)[0].verdict.admitted {}
    let lax = checks(&policy("p", "100/s", 200), 1);
    let refused = backend.decide(lax.iter(), 1, NOW)[0].verdict;
    assert_eq!((refused.admitted, refused.retry_us), (false, 10_000));
    assert!(backend.decide(lax.iter(), 1, NOW + Duration::from_millis(10))[0].verdict.admitted);
}

#[test]
fn instances_share_the_limit() {
    let text = policy("p", "1/d", 9);
    for (instances, granted) in [(1, 9), (2, 4), (3, 3), (9, 1), (100, 1)] {
        let backend = LocalBackend::new(100);
        let admitted =
            (0..20).filter(|_| backend.decide(checks(&text, 1).iter(), instances, NOW)[0].verdict.admitted);
        assert_eq!(admitted.count(), granted, "{instances}");
    }
}

#[test]
fn beyond_the_cap_new_keys_share_one_balance_and_known_keys_keep_theirs() {
    let backend = LocalBackend::new(50);
    let text = policy("p", "1/d", 2);
    let admitted = |client| backend.decide(checks(&text, client).iter(), 1, NOW)[0].verdict.admitted;
    assert!((0..50).all(admitted), "below the cap every key has its own burst");
    let late: Vec<_> = (50..60).map(admitted).collect();
    assert_eq!(late.iter().filter(|admitted| **admitted).count(), 2, "one burst for all keys beyond the cap");
    assert!((0..50).all(admitted), "earlier keys are not affected");
    assert_eq!(backend.held(), 50);
}

#[test]
fn threads_admit_exactly_the_burst_of_the_narrower_policy() {
    let backend = Arc::new(LocalBackend::new(1000));
    // The keys differ, so the two lie in different shards; they are checked in both orders.
    let text = policy("a", "1/d", 700) + "key='route'\n" + &policy("b", "1/d", 500);
    let (admitted, start) = (Arc::new(AtomicU64::new(0)), Arc::new(Barrier::new(4)));
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (backend, text, admitted, start) =
                (backend.clone(), text.clone(), admitted.clone(), start.clone());
            std::thread::spawn(move || {
                let mut checks = checks(&text, 1);
                if thread % 2 == 0 {
                    checks.reverse();
                }
                start.wait();
                for _ in 0..400 {
                    if !backend.decide(checks.iter(), 1, NOW).iter().any(CheckResult::refuses) {
                        admitted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(admitted.load(Ordering::Relaxed), 500);
    let left = backend.decide(checks(&text, 2).iter(), 1, NOW);
    assert_eq!(left[0].verdict.remaining, 199, "the route was charged for 500 and this one");
    assert!(matches!(checks(&text, 2)[1].key, Key::Client(ClientKey::V4(_))));
}
