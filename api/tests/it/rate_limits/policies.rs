//! The fields of a policy as a client sees them.

use crate::helpers::{TestApp, eventually, header, policy, problem, spawn_on_redis, spawn_with};
use serde_json::json;
use testkit::Redis;

async fn statuses(app: &TestApp, path: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(app.get(path).await.status().as_u16());
    }
    statuses
}

fn decided(backend: &str, decision: &str, policy: &str) -> String {
    format!(r#"rate_limit_decisions_total{{backend="{backend}",decision="{decision}",policy="{policy}"}}"#)
}

#[tokio::test]
async fn costly_requests_are_charged_more() {
    let text = policy("p", "1/d", 10) + "cost = { \"/cpu\" = 4, \"/api/*\" = 2 }\n";
    let redis = Redis::start().await.unwrap();
    for app in [spawn_with(&text, &[]).await, spawn_on_redis(&redis.url(), &text, None).await] {
        for (path, left) in [("/", "9"), ("/cpu?value=1", "5"), ("/api/users", "3")] {
            assert_eq!(header(&app.get(path).await, "x-ratelimit-remaining"), left, "{path}");
        }
        let refused = app.get("/cpu?value=1").await;
        assert_eq!(header(&refused, "x-ratelimit-remaining"), "3");
        assert_eq!(header(&refused, "retry-after"), "86400", "one unit is missing, and refills in a day");
        problem(refused, 429).await;
        assert_eq!(
            statuses(&app, "/", 4).await,
            [200, 200, 200, 429],
            "requests of lower cost are still admitted"
        );
    }
}

#[tokio::test]
async fn a_shadow_policy_counts_and_refuses_nothing() {
    let text = policy("shade", "1/d", 2) + "shadow = true\n" + &policy("real", "1/d", 50);
    let redis = Redis::start().await.unwrap();
    for (backend, app) in
        [("local", spawn_with(&text, &[]).await), ("redis", spawn_on_redis(&redis.url(), &text, None).await)]
    {
        assert_eq!(statuses(&app, "/", 5).await, [200; 5]);
        let response = app.get("/").await;
        assert_eq!(
            header(&response, "ratelimit-policy"),
            "\"real\";q=50;w=4320000",
            "the shadow policy is not shown"
        );
        let metrics = app.metrics().await;
        assert_eq!(metrics.get(&decided(backend, "admitted", "shade")), Some(2.0));
        assert_eq!(metrics.get(&decided(backend, "would_refuse", "shade")), Some(4.0));
        assert_eq!(metrics.get(r#"rate_limit_hits_total{policy="shade"}"#), Some(0.0), "nothing was refused");
    }
}

#[tokio::test]
async fn policies_count_by_their_key() {
    let text = policy("by-route", "1/d", 2)
        + "key = \"route\"\n"
        + &policy("each", "1/d", 3)
        + "key = [\"client\", \"route\"]\n";
    let redis = Redis::start().await.unwrap();
    for app in [spawn_with(&text, &[]).await, spawn_on_redis(&redis.url(), &text, None).await] {
        assert_eq!(statuses(&app, "/", 3).await, [200, 200, 429]);
        assert_eq!(statuses(&app, "/api/users", 3).await, [200, 200, 429], "another route");
        assert_eq!(problem(app.get("/").await, 429).await["violated-policies"], json!(["by-route"]));
    }
}

#[tokio::test]
async fn addresses_count_by_network_and_behind_proxies() {
    let app = spawn_with(&policy("p", "1/d", 2), &["--trusted-proxies", "127.0.0.1"]).await;
    let left = async |address: &str| {
        let response = app.request("GET", "/").header("x-forwarded-for", address).send().await.unwrap();
        header(&response, "x-ratelimit-remaining").parse::<u32>().unwrap()
    };
    for (address, remaining) in [
        ("2001:db8:1:2::1", 1),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", 0),
        ("2001:db8:1:3::1", 1),
        ("203.0.113.7", 1),
        ("::ffff:203.0.113.7", 0),
        ("203.0.113.8", 1),
        ("198.51.100.1, 203.0.113.8", 0),
    ] {
        assert_eq!(left(address).await, remaining, "{address}");
    }
}

#[tokio::test]
async fn a_cached_refusal_costs_no_redis_command() {
    let redis = Redis::start().await.unwrap();
    let app = spawn_on_redis(&redis.url(), &policy("p", "1/d", 3), None).await;
    assert_eq!(statuses(&app, "/", 4).await, [200, 200, 200, 429]);
    let calls = async || {
        let stats = redis.command(&["INFO", "commandstats"]).await.unwrap();
        let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap().to_owned();
        line.split(['=', ',']).nth(1).unwrap().parse::<u64>().unwrap()
    };
    let (before, started) = (calls().await, std::time::Instant::now());
    for _ in 0..100 {
        let refused = app.get("/api/users").await;
        let wait: u64 = header(&refused, "retry-after").parse().unwrap();
        assert!((86_300..=86_400).contains(&wait), "{wait}");
        assert_eq!(header(&refused, "ratelimit-policy"), "\"p\";q=3;w=259200");
        problem(refused, 429).await;
    }
    // Two per heartbeat, and two when a worker opens its own connection.
    let allowed = 2 * (started.elapsed().as_secs() + 1) + 2;
    let more = calls().await - before;
    assert!(more <= allowed, "{more} commands, {allowed} of them allowed for the background");
    let metrics = app.metrics().await;
    assert_eq!(metrics.get(&decided("cached", "refused", "p")), Some(100.0));
    assert_eq!(metrics.get(&decided("redis", "refused", "p")), Some(1.0));
    assert_eq!(metrics.get(r#"rate_limit_hits_total{policy="p"}"#), Some(101.0));
    assert_eq!(metrics.get(r#"rate_limit_keys{store="cached"}"#), Some(1.0));
}

#[tokio::test]
async fn refusals_of_redis_hold_while_it_is_away() {
    let mut redis = Redis::start().await.unwrap();
    let text = policy("p", "1/d", 2);
    let app = spawn_on_redis(&redis.url(), &text, None).await;
    assert_eq!(statuses(&app, "/", 3).await, [200, 200, 429]);
    redis.kill().await;
    app.health_becomes("degraded").await;
    assert_eq!(statuses(&app, "/", 3).await, [429; 3], "no new burst for a client over its limit");
    let metrics = app.metrics().await;
    assert_eq!(metrics.get(&decided("cached", "refused", "p")), Some(3.0));
}

#[tokio::test]
async fn each_policy_decides_what_happens_without_redis() {
    let mut redis = Redis::start().await.unwrap();
    let on = |name: &str, route: &str, mode: &str| {
        policy(name, "1/d", 2) + &format!("routes = [\"{route}\"]\nwithout_redis = \"{mode}\"\n")
    };
    let text = on("own", "/", "local") + &on("lax", "/cpu", "open") + &on("strict", "/api/users", "closed");
    let app = spawn_on_redis(&redis.url(), &text, None).await;
    redis.kill().await;
    app.health_becomes("degraded").await;

    assert_eq!(statuses(&app, "/", 3).await, [200, 200, 429]);
    assert_eq!(statuses(&app, "/cpu?value=1", 5).await, [200; 5]);
    assert_eq!(app.get("/cpu?value=1").await.headers().get("ratelimit"), None, "the quota is unknown");
    let closed = app.get("/api/users").await;
    assert_eq!(header(&closed, "retry-after"), "1");
    let body = problem(closed, 503).await;
    assert!(body["detail"].as_str().unwrap().contains("rate limit"), "{body}");
    let metrics = app.metrics().await;
    assert_eq!(metrics.get(&decided("none", "admitted", "lax")), Some(6.0));
    assert_eq!(metrics.get(&decided("none", "refused", "strict")), Some(1.0));
    assert_eq!(
        metrics.get(r#"rate_limit_hits_total{policy="strict"}"#),
        Some(0.0),
        "an outage is not a limit"
    );
    assert_eq!(metrics.get(&decided("local", "refused", "own")), Some(1.0));

    redis.restart().await.unwrap();
    app.health_becomes("ok").await;
    assert_eq!(app.get("/api/users").await.status(), 200);
}

#[tokio::test]
async fn without_redis_each_gateway_grants_its_share() {
    let mut redis = Redis::start().await.unwrap();
    let text = policy("p", "1/d", 9);
    let mut apps = Vec::new();
    for _ in 0..3 {
        apps.push(spawn_on_redis(&redis.url(), &text, Some("share:")).await);
    }
    for app in &apps {
        eventually("three gateways know each other", || async {
            app.metrics().await.get("rate_limit_instances") == Some(3.0)
        })
        .await;
    }
    redis.kill().await;
    for app in &apps {
        app.health_becomes("degraded").await;
        assert_eq!(statuses(app, "/", 5).await, [200, 200, 200, 429, 429]);
        assert_eq!(header(&app.get("/").await, "ratelimit-policy"), "\"p\";q=9;w=777600");
    }
}

#[tokio::test]
async fn memory_is_capped_and_earlier_clients_keep_their_own_limit() {
    let flags = ["--trusted-proxies", "127.0.0.1", "--rate-limit-keys", "300"];
    let app = spawn_with(&policy("p", "1/d", 2), &flags).await;
    let status = async |client: usize| {
        let address = format!("10.0.{}.{}", client / 256, client % 256);
        let response = app.request("GET", "/").header("x-forwarded-for", address).send().await.unwrap();
        response.status().as_u16()
    };
    for client in 0..300 {
        assert_eq!(status(client).await, 200, "client {client}: clients are independent below the cap");
    }
    let mut late = Vec::new();
    for client in 300..320 {
        late.push(status(client).await);
    }
    assert_eq!(
        late.iter().filter(|status| **status == 200).count(),
        2,
        "one limit for all clients beyond the cap"
    );
    for client in 0..300 {
        assert_eq!(status(client).await, 200, "client {client} has one left");
    }
    assert_eq!(app.metrics().await.get(r#"rate_limit_keys{store="local"}"#), Some(300.0));
}
