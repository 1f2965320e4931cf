//! Limits that several gateways share in a real Redis.

use crate::helpers::{header, policy, problem, spawn_on_redis};
use serde_json::json;
use std::{collections::HashMap, time::Duration};
use testkit::Redis;

async fn command<T: redis::FromRedisValue>(redis: &Redis, command: &[&str]) -> T {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd(command[0]).arg(&command[1..]).query_async(&mut connection).await.unwrap()
}

/// Calls per command, from INFO commandstats.
async fn calls(redis: &Redis) -> HashMap<String, u64> {
    let text: String = command(redis, &["INFO", "commandstats"]).await;
    let line = |line: &str| {
        let (name, stats) = line.trim().strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), stats.split(',').next()?.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

#[tokio::test]
async fn two_gateways_admit_one_burst_between_them() {
    let redis = Redis::start().await.unwrap();
    let policies = policy("shared", "1/d", 60);
    let a = spawn_on_redis(&redis.url(), &policies, Some("shared:")).await;
    let b = spawn_on_redis(&redis.url(), &policies, Some("shared:")).await;
    let calls = (0..100).map(|i| {
        let app = if i % 2 == 0 { &a } else { &b };
        async move { app.get("/").await.status().as_u16() }
    });
    let statuses = futures_util::future::join_all(calls).await;
    let count = |status| statuses.iter().filter(|s| **s == status).count();
    assert_eq!((count(200), count(429)), (60, 40));
    let (one, two) = (a.metrics().await, b.metrics().await);
    let hits = r#"rate_limit_hits_total{policy="shared"}"#;
    assert_eq!(one.get(hits).unwrap() + two.get(hits).unwrap(), 40.0);
    let by_redis = r#"rate_limit_decisions_total{backend="redis",decision="admitted",policy="shared"}"#;
    assert_eq!(one.get(by_redis).unwrap() + two.get(by_redis).unwrap(), 60.0);
    assert_eq!(one.get("rate_limit_backend_up"), Some(1.0));
    assert_eq!(one.get(r#"rate_limit_backend_errors_total{kind="timeout"}"#), Some(0.0));
}

#[tokio::test]
async fn refusals_are_exact_and_keys_live_as_long_as_their_balance() {
    let redis = Redis::start().await.unwrap();
    let app = spawn_on_redis(&redis.url(), &policy("p", "2/s", 2), Some("ttl:")).await;
    assert_eq!(
        app.health().await.1,
        json!({"status": "ok", "components": {"database": "ok", "redis": "ok"}})
    );
    let mut last = app.get("/").await;
    while last.status() == 200 {
        let ttl: i64 = command(&redis, &["PTTL", "ttl:limit:p:{127.0.0.1}"]).await;
        assert!((1..=1001).contains(&ttl), "{ttl}");
        last = app.get("/").await;
    }
    let wait: u64 = header(&last, "retry-after").parse().unwrap();
    assert_eq!(wait, 1);
    problem(last, 429).await;
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(app.get("/").await.status(), 200);
}

#[tokio::test]
async fn one_evalsha_per_decision_and_no_ping() {
    let redis = Redis::start().await.unwrap();
    let app = spawn_on_redis(&redis.url(), &policy("p", "1000/s", 1000), None).await;
    assert_eq!(app.get("/").await.status(), 200);
    let before = calls(&redis).await;
    let started = std::time::Instant::now();
    for _ in 0..50 {
        assert_eq!(app.get("/").await.status(), 200);
    }
    let after = calls(&redis).await;
    let more = |name: &str| after.get(name).unwrap_or(&0) - before.get(name).unwrap_or(&0);
    // Two per heartbeat, and two when a worker opens its own connection.
    let background = 2 * (started.elapsed().as_secs() + 1) + 2;
    assert!((50..=50 + background).contains(&more("evalsha")), "{}", more("evalsha"));
    for other in ["ping", "unwatch", "eval", "script|load"] {
        assert_eq!(more(other), 0, "{other}");
    }
}

#[tokio::test]
async fn a_script_that_redis_forgot_is_loaded_again() {
    let redis = Redis::start().await.unwrap();
    let app = spawn_on_redis(&redis.url(), &policy("p", "1/d", 3), None).await;
    for left in ["2", "1", "0"] {
        let _: () = command(&redis, &["SCRIPT", "FLUSH"]).await;
        assert_eq!(header(&app.get("/").await, "x-ratelimit-remaining"), left);
    }
    let metrics = app.metrics().await;
    assert_eq!(metrics.sum("rate_limit_backend_errors_total"), 0.0);
}
