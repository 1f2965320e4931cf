//! Redis away: no client sees an error, `/health` is degraded, and it recovers without a restart.

use crate::helpers::{eventually, policy, spawn_on_redis, spawn_with, spawn_without_waiting};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use testkit::Redis;

const UP: &str = "rate_limit_backend_up";

fn decisions(backend: &str) -> String {
    format!(r#"rate_limit_decisions_total{{backend="{backend}",decision="admitted",policy="default"}}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_under_traffic_and_restarted() {
    let mut redis = Redis::start().await.unwrap();
    let app = spawn_on_redis(&redis.url(), &crate::helpers::roomy(), None).await;
    let running = Arc::new(AtomicBool::new(true));
    let responses = Arc::new(AtomicU64::new(0));
    let traffic: Vec<_> = (0..8)
        .map(|_| {
            let (client, url) = (app.client.clone(), format!("{}/api/users", app.base));
            let (running, responses) = (running.clone(), responses.clone());
            tokio::spawn(async move {
                let mut others = Vec::new();
                while running.load(Ordering::Relaxed) {
                    let status = client.get(&url).send().await.unwrap().status().as_u16();
                    responses.fetch_add(1, Ordering::Relaxed);
                    if status != 200 {
                        others.push(status);
                    }
                }
                others
            })
        })
        .collect();
    let hundred_more = || async {
        let target = responses.load(Ordering::Relaxed) + 100;
        eventually("a hundred more responses", || async { responses.load(Ordering::Relaxed) >= target })
            .await;
    };

    hundred_more().await;
    assert_eq!(app.metrics().await.get(&decisions("local")), Some(0.0));
    redis.kill().await;
    app.health_becomes("degraded").await;
    let (status, health) = app.health().await;
    assert_eq!((status, &health["components"]["redis"]), (200, &"unavailable".into()));
    hundred_more().await;
    let metrics = app.metrics().await;
    assert_eq!(metrics.get(UP), Some(0.0));
    assert!(metrics.get(&decisions("local")).unwrap() >= 100.0);
    assert!(metrics.sum("rate_limit_backend_errors_total") >= 1.0);

    redis.restart().await.unwrap();
    app.health_becomes("ok").await;
    let before = app.metrics().await.get(&decisions("redis")).unwrap();
    hundred_more().await;
    let metrics = app.metrics().await;
    assert_eq!(metrics.get(UP), Some(1.0));
    assert!(metrics.get(&decisions("redis")).unwrap() > before);

    running.store(false, Ordering::Relaxed);
    for task in traffic {
        assert_eq!(task.await.unwrap(), Vec::<u16>::new(), "every response was 200");
    }
}

#[tokio::test]
async fn a_paused_redis_costs_deadlines_and_then_nothing() {
    let mut redis = Redis::start().await.unwrap();
    let prefix = format!("test-{}:", uuid::Uuid::new_v4().simple());
    let flags = ["--redis-url", &redis.url(), "--redis-key-prefix", &prefix, "--redis-deadline", "300ms"]
        .map(str::to_owned);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let app = spawn_with(&policy("default", "1000/s", 1000), &flags).await;
    app.health_becomes("ok").await;
    assert_eq!(app.get("/").await.status(), 200);
    redis.pause();
    for _ in 0..5 {
        assert_eq!(app.get("/").await.status(), 200);
    }
    app.health_becomes("degraded").await;
    let redis_errors = |metrics: &crate::helpers::Metrics| metrics.sum("rate_limit_backend_errors_total");
    let before = redis_errors(&app.metrics().await);
    for _ in 0..20 {
        assert_eq!(app.get("/").await.status(), 200);
    }
    assert_eq!(redis_errors(&app.metrics().await), before, "with the breaker open no request uses Redis");
    redis.resume();
    app.health_becomes("ok").await;
}

#[tokio::test]
async fn a_gateway_starts_without_redis_and_finds_it_later() {
    let mut redis = Redis::start().await.unwrap();
    redis.kill().await;
    let app = spawn_without_waiting(&redis.url(), &policy("default", "1/d", 5), None).await;
    assert_eq!(app.health().await.1["status"], "degraded");
    for expected in [200, 200, 200, 200, 200, 429] {
        assert_eq!(app.get("/").await.status(), expected, "the local limiter enforces the limit");
    }
    redis.restart().await.unwrap();
    app.health_becomes("ok").await;
    assert_eq!(app.get("/").await.status(), 200, "Redis counts from zero");
    assert_eq!(app.metrics().await.get(&decisions("redis")), Some(1.0));
}

#[tokio::test]
async fn a_redis_that_rejects_writes_counts_as_away() {
    let redis = Redis::start().await.unwrap();
    let app = spawn_on_redis(&redis.url(), &policy("default", "1000/s", 1000), None).await;
    assert_eq!(app.get("/").await.status(), 200);
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut replicate = async |host: &str, port: &str| {
        let _: () = redis::cmd("REPLICAOF").arg(host).arg(port).query_async(&mut connection).await.unwrap();
    };
    // A replica of an unreachable primary: read-only until reconfigured.
    replicate("127.0.0.1", "1").await;
    app.health_becomes("degraded").await;
    assert_eq!(app.get("/").await.status(), 200);
    replicate("NO", "ONE").await;
    tokio::time::timeout(Duration::from_secs(20), app.health_becomes("ok")).await.unwrap();
}
