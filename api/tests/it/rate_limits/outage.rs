//! Redis outages of every kind under traffic: no client sees an error, `/health` reports it, and it recovers by itself.

use crate::{
    helpers::{TestApp, policy, roomy, spawn_on_redis, spawn_with},
    rate_limits::traffic::Traffic,
};
use std::time::Duration;
use testkit::{Redis, RedisProxy};

/// A gateway with a deadline that a debug build on a busy machine meets while Redis is up.
async fn gateway(url: &str, deadline: &str) -> TestApp {
    let prefix = format!("test-{}:", uuid::Uuid::new_v4().simple());
    let flags = ["--redis-url", url, "--redis-key-prefix", &prefix, "--redis-deadline", deadline];
    let app = spawn_with(&roomy(), &flags).await;
    app.health_becomes("ok").await;
    app
}

/// Decisions by one backend.
async fn decisions(app: &TestApp, backend: &str) -> f64 {
    let series =
        format!(r#"rate_limit_decisions_total{{backend="{backend}",decision="admitted",policy="default"}}"#);
    app.metrics().await.get(&series).unwrap()
}

/// Traffic before, during and after the outage; during it this process decides, without Redis.
async fn outage(app: &TestApp, begin: impl AsyncFnOnce(), end: impl AsyncFnOnce()) {
    let traffic = Traffic::start(app, "/api/users", 4);
    traffic.goes_on().await;
    begin().await;
    app.health_becomes("degraded").await;
    let local = decisions(app, "local").await;
    traffic.goes_on().await;
    assert!(decisions(app, "local").await >= local + 90.0);
    assert_eq!(app.metrics().await.get("rate_limit_backend_up"), Some(0.0));
    end().await;
    app.health_becomes("ok").await;
    let by_redis = decisions(app, "redis").await;
    traffic.goes_on().await;
    assert!(decisions(app, "redis").await > by_redis);
    let statuses = traffic.stop().await;
    assert_eq!(statuses.keys().collect::<Vec<_>>(), [&200], "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_stopped_in_mid_flight() {
    let redis = std::sync::Mutex::new(Redis::start().await.unwrap());
    let url = redis.lock().unwrap().url();
    let app = gateway(&url, "200ms").await;
    outage(&app, async || redis.lock().unwrap().pause(), async || redis.lock().unwrap().resume()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_made_a_read_only_replica() {
    let redis = Redis::start().await.unwrap();
    let app = gateway(&redis.url(), "5s").await;
    let replicate = async |host, port| _ = redis.command(&["REPLICAOF", host, port]).await.unwrap();
    outage(&app, async || replicate("127.0.0.1", "1").await, async || replicate("NO", "ONE").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_out_of_memory() {
    let redis = Redis::start_with(&["--maxmemory-policy", "noeviction"]).await.unwrap();
    let app = gateway(&redis.url(), "5s").await;
    let limit = async |bytes| _ = redis.command(&["CONFIG", "SET", "maxmemory", bytes]).await.unwrap();
    outage(&app, async || limit("1").await, async || limit("0").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_responds_too_late() {
    let redis = Redis::start().await.unwrap();
    let proxy = RedisProxy::start(redis.port()).await.unwrap();
    let app = gateway(&proxy.url(), "200ms").await;
    let begin = async || {
        // Longer than the deadline of a decision, shorter than that of a connection.
        proxy.delay(Duration::from_millis(300));
        app.health_becomes("degraded").await;
        let redis_errors = async || app.metrics().await.sum("rate_limit_backend_errors_total");
        let before = redis_errors().await;
        // Long enough for some reconnects, each of which finds it too slow.
        for _ in 0..50 {
            assert_eq!(app.health().await.1["status"], "degraded", "a slow Redis is not used again");
            assert_eq!(app.get("/").await.status(), 200);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Replies that were under way when the breaker opened may still fail.
        assert!(redis_errors().await <= before + 8.0, "with the breaker open no request uses Redis");
    };
    outage(&app, begin, async || proxy.delay(Duration::ZERO)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_forgets_scripts_or_keys_is_no_outage() {
    let redis = Redis::start().await.unwrap();
    let app = gateway(&redis.url(), "5s").await;
    let traffic = Traffic::start(&app, "/api/users", 4);
    for command in [&["SCRIPT", "FLUSH"][..], &["FLUSHALL"]] {
        for _ in 0..200 {
            redis.command(command).await.unwrap();
        }
        traffic.goes_on().await;
    }
    let statuses = traffic.stop().await;
    assert_eq!(statuses.keys().collect::<Vec<_>>(), [&200], "{statuses:?}");
    let metrics = app.metrics().await;
    assert_eq!(metrics.sum("rate_limit_backend_errors_total"), 0.0);
    assert_eq!(decisions(&app, "local").await, 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_redis_cuts_are_replaced() {
    let redis = Redis::start().await.unwrap();
    let app = gateway(&redis.url(), "5s").await;
    let traffic = Traffic::start(&app, "/api/users", 4);
    for _ in 0..3 {
        traffic.goes_on().await;
        redis.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await.unwrap();
    }
    app.health_becomes("ok").await;
    let by_redis = decisions(&app, "redis").await;
    traffic.goes_on().await;
    assert!(decisions(&app, "redis").await > by_redis);
    let statuses = traffic.stop().await;
    assert_eq!(statuses.keys().collect::<Vec<_>>(), [&200], "{statuses:?}");
}

#[tokio::test]
async fn a_redis_that_lost_its_keys_counts_from_zero() {
    let mut redis = Redis::start().await.unwrap();
    let app = spawn_on_redis(&redis.url(), &policy("p", "1/d", 2), None).await;
    let statuses = async || {
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(app.get("/").await.status().as_u16());
        }
        statuses
    };
    assert_eq!(statuses().await, [200, 200, 429, 429]);
    redis.kill().await;
    app.health_becomes("degraded").await;
    redis.restart().await.unwrap();
    app.health_becomes("ok").await;
    assert_eq!(statuses().await, [200, 200, 429, 429], "cached refusals of the old one are dropped");
}
