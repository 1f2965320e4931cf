//! Compares the script in a real Redis with the oracle.

#[path = "../../support/gcra_oracle.rs"]
mod oracle;

use api::{
    limit::{Quota, RedisBackend, RedisSettings, Reply, ScriptCheck},
    telemetry::Metrics,
};
use oracle::Oracle;
use proptest::{prelude::*, test_runner::TestRunner};
use std::{sync::Arc, time::Duration};
use testkit::Redis;

const SCRIPT: &str = include_str!("../../../src/limit/redis/gcra.lua");
const SECOND: u64 = 1_000_000;

/// A backend whose deadline is long enough for any machine.
pub async fn backend(url: &str) -> Arc<RedisBackend> {
    let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
    let prefix = format!("test-{}:", uuid::Uuid::new_v4().simple());
    let certificates = redis::TlsCertificates { client_tls: None, root_cert: None };
    let settings =
        RedisSettings { url: url.to_owned(), certificates, deadline: Duration::from_secs(5), prefix };
    let backend = RedisBackend::new(settings, metrics).unwrap();
    assert!(backend.connect().await);
    backend
}

/// One policy's check of a key in its own slot.
pub fn check(key: &str, count: u64, period_us: u64, burst: u64) -> ScriptCheck {
    let quota = Quota::new(count, period_us, burst).unwrap();
    ScriptCheck { key: format!("{{test}}:{key}"), quota, cost: 1, shadow: false }
}

#[tokio::test]
async fn the_script_agrees_with_the_oracle_by_rediss_own_clock() {
    let redis = Redis::start().await.unwrap();
    let backend = backend(&redis.url()).await;
    for (case, (count, period_us, burst)) in [
        (100, SECOND, 200),
        (3, SECOND, 5),
        (7, 60 * SECOND, 4),
        (1, 86_400 * SECOND, 9),
        (999_983, SECOND, 50),
    ]
    .into_iter()
    .enumerate()
    {
        let mut check = check(&format!("case-{case}"), count, period_us, burst);
        let mut oracle = Oracle::default();
        for step in 0..60 {
            if step % 20 == 19 {
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
            check.cost = 1 + step % 3;
            let reply = backend.decide(std::slice::from_ref(&check)).await.unwrap();
            let decided = oracle.decide(count, period_us, burst, reply.now_us, check.cost);
            let expected = Reply {
                refusing: u64::from(!decided.admitted),
                now_us: reply.now_us,
                balances: vec![decided.balance],
            };
            assert_eq!(reply, expected, "{check:?} step {step}");
        }
    }
}

/// The script with the time as its last argument and without expiry, because Redis expires keys by its real clock.
fn with_simulated_time() -> String {
    let replaced = |script: &str, from: &str, to: &str| {
        assert_eq!(script.matches(from).count(), 1, "{from}");
        script.replace(from, to)
    };
    let script = replaced(SCRIPT, "local time = redis.call('TIME')\n", "");
    let script =
        replaced(&script, "tonumber(time[1]) * 1000000 + tonumber(time[2])", "tonumber(ARGV[#ARGV])");
    replaced(&script, ",\n    'PX', string.format('%.0f', math.ceil(ahead / 1000) + 1))", ")")
}

/// Quotas from one unit a day to a million a second.
fn quotas() -> impl Strategy<Value = Quota> {
    (1u64..=1_000_000, 1u64..=86_400, 1u64..=50_000)
        .prop_filter_map("inexact", |(count, seconds, burst)| Quota::new(count, seconds * SECOND, burst).ok())
}

#[test]
fn the_script_agrees_with_the_oracle_over_simulated_times() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let redis = runtime.block_on(Redis::start()).unwrap();
    let client = redis::Client::open(redis.url()).unwrap();
    let connection = runtime.block_on(client.get_multiplexed_async_connection()).unwrap();
    let script = redis::Script::new(&with_simulated_time());
    let gaps = prop_oneof![4 => Just(0i64), 4 => 1i64..50, 4 => 1i64..3_000_000, 1 => 1i64..90_000_000_000, 1 => -5_000_000i64..0];
    let steps = prop::collection::vec((gaps, 1u64..12), 1..60);
    let mut runner = TestRunner::new(ProptestConfig { cases: 60, ..ProptestConfig::default() });
    let outcome = runner.run(&(quotas(), quotas(), steps), |(first, second, steps)| {
        let (key, mut connection) = (uuid::Uuid::new_v4().to_string(), connection.clone());
        let (mut oracle, mut now) = (Oracle::default(), 1_790_000_000 * SECOND);
        for (step, (gap, cost)) in steps.iter().enumerate() {
            // The limits change in the middle.
            let quota = if step < steps.len() / 2 { first } else { second };
            // No policy file may have a cost above the burst.
            let cost = (*cost).min(quota.burst());
            now = now.saturating_add_signed(*gap);
            let expected = oracle.decide(quota.count(), quota.period_us(), quota.burst(), now, cost);
            let mut call = script.key(&key);
            call.arg(quota.count()).arg(quota.period_us()).arg(quota.burst()).arg(cost).arg(0).arg(now);
            let reply: Vec<u64> = runtime.block_on(call.invoke_async(&mut connection)).unwrap();
            let verdict = quota.verdict(reply[2], cost, reply[0] == 0);
            prop_assert_eq!(
                (reply[0] == 0, verdict.remaining, verdict.reset_us, verdict.retry_us),
                (expected.admitted, expected.remaining, expected.reset_us, expected.retry_us),
                "{:?} cost {} at step {}",
                quota,
                cost,
                step
            );
            prop_assert_eq!(reply[1], now, "no digit of the time is lost");
        }
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_refusal_by_one_policy_charges_no_other_policy() {
    let redis = Redis::start().await.unwrap();
    let backend = backend(&redis.url()).await;
    let both = [check("wide", 1, 86_400 * SECOND, 10), check("narrow", 1, 86_400 * SECOND, 1)];
    assert_eq!(backend.decide(&both).await.unwrap().refusing, 0);
    for _ in 0..5 {
        assert_eq!(backend.decide(&both).await.unwrap().refusing, 0b10);
    }
    let alone = backend.decide(&both[..1]).await.unwrap();
    let left = both[0].quota.verdict(alone.balances[0], 1, true).remaining;
    assert_eq!(left, 8, "charged for two admitted requests only");
}

#[tokio::test]
async fn a_shadow_policy_refuses_nothing_and_charges_as_if_it_did() {
    let redis = Redis::start().await.unwrap();
    let backend = backend(&redis.url()).await;
    let mut both = [check("wide", 1, 86_400 * SECOND, 3), check("shade", 1, 86_400 * SECOND, 1)];
    both[1].shadow = true;
    let mut refusing = Vec::new();
    for _ in 0..4 {
        refusing.push(backend.decide(&both).await.unwrap().refusing);
    }
    assert_eq!(refusing, [0, 0b10, 0b10, 0b11], "the wide policy admits three");
}

#[tokio::test]
async fn keys_expire_exactly_when_their_balance_is_zero() {
    let redis = Redis::start().await.unwrap();
    let backend = backend(&redis.url()).await;
    // Ten of a thousand per second: full again after 10 ms.
    let quick = check("quick", 1000, SECOND, 10);
    for round in 0..20 {
        let reply = backend.decide(std::slice::from_ref(&quick)).await.unwrap();
        let ttl: i64 = redis.command(&["PTTL", &quick.key]).await.unwrap().parse().unwrap();
        // -2: expired meanwhile, so its balance was zero.
        assert!(ttl == -2 || (0..=12).contains(&ttl), "round {round}: {ttl} ms for {:?}", reply.balances);
    }
    // A flood just before the key expires must not get a second burst. The oracle, which never forgets, decides in
    // parallel.
    let (mut oracle, mut admitted): (Option<Oracle>, _) = (None, 0);
    for _ in 0..400 {
        let reply = backend.decide(std::slice::from_ref(&quick)).await.unwrap();
        if let Some(mut oracle) = oracle {
            let decided = oracle.decide(1000, SECOND, 10, reply.now_us, 1);
            assert_eq!((reply.refusing == 0, reply.balances[0]), (decided.admitted, decided.balance));
        }
        admitted += u32::from(reply.refusing == 0);
        let ahead_us = reply.balances[0] / quick.quota.count();
        oracle = Some(Oracle::at(reply.now_us + ahead_us, reply.balances[0] % quick.quota.count()));
    }
    assert!(admitted > 10, "{admitted}");
    crate::helpers::eventually("no key is left", || async {
        redis.command(&["EXISTS", &quick.key]).await.unwrap() == "0"
    })
    .await;
}
