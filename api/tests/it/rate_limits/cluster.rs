//! Redis as a cluster and behind Sentinels.

use crate::{
    helpers::{eventually, policy, roomy, spawn_on_redis, spawn_with},
    rate_limits::traffic::Traffic,
};
use futures_util::future::join_all;
use testkit::{RedisCluster, RedisSentinel};

/// Decisions by Redis, of any outcome.
async fn by_redis(app: &crate::helpers::TestApp) -> f64 {
    let metrics = app.metrics().await;
    let series = metrics.series("rate_limit_decisions_total");
    series.filter(|(name, _)| name.contains(r#"backend="redis""#)).map(|(_, value)| value).sum()
}

#[tokio::test]
async fn a_cluster_counts_exactly_and_spreads_the_clients() {
    let cluster = RedisCluster::start().await.unwrap();
    // Two policies with two keys in one request, which must be in one slot.
    let text = policy("all", "1/d", 6) + &policy("each", "1/d", 5) + "key = [\"client\", \"route\"]\n";
    let flags = |prefix: &str| {
        let flags =
            ["--redis-url", &cluster.url(), "--redis-deadline", "5s", "--trusted-proxies", "127.0.0.1"];
        let mut flags = flags.map(str::to_owned).to_vec();
        flags.extend(["--redis-key-prefix".to_owned(), prefix.to_owned()]);
        flags
    };
    let flags = flags("cluster:");
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let apps = [spawn_with(&text, &flags).await, spawn_with(&text, &flags).await];
    for app in &apps {
        app.health_becomes("ok").await;
    }
    for client in 0..30 {
        let calls = (0..10).map(|call| {
            let request = apps[call % 2].request("GET", if call < 8 { "/" } else { "/cpu?value=1" });
            let request = request.header("x-forwarded-for", format!("192.0.2.{client}"));
            async move { request.send().await.unwrap().status().as_u16() }
        });
        let statuses = join_all(calls).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 6, "{client}: {statuses:?}");
    }
    for app in &apps {
        assert_eq!(app.metrics().await.sum("rate_limit_backend_errors_total"), 0.0);
    }
    for node in cluster.nodes() {
        let keys: u64 = node.command(&["DBSIZE"]).await.unwrap().parse().unwrap();
        assert!(keys > 5, "a third of the clients, not {keys} keys");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_loses_a_node_is_an_outage_without_errors() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let app = spawn_on_redis(&cluster.url(), &roomy(), None).await;
    let traffic = Traffic::start(&app, "/api/users", 4);
    traffic.goes_on().await;
    cluster.node(2).kill().await;
    app.health_becomes("degraded").await;
    traffic.goes_on().await;
    cluster.node(2).restart().await.unwrap();
    app.health_becomes("ok").await;
    let before = by_redis(&app).await;
    traffic.goes_on().await;
    assert!(by_redis(&app).await > before);
    let statuses = traffic.stop().await;
    assert_eq!(statuses.keys().collect::<Vec<_>>(), [&200], "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sentinel_failover_is_not_noticed_by_clients() {
    let mut redis = RedisSentinel::start().await.unwrap();
    let app = spawn_on_redis(&redis.url(), &roomy(), None).await;
    let traffic = Traffic::start(&app, "/api/users", 4);
    traffic.goes_on().await;
    assert!(by_redis(&app).await > 0.0);
    redis.first().kill().await;
    app.health_becomes("degraded").await;
    traffic.goes_on().await;
    redis.failed_over().await.unwrap();
    app.health_becomes("ok").await;
    let before = by_redis(&app).await;
    traffic.goes_on().await;
    assert!(by_redis(&app).await > before, "the new primary decides");
    eventually("the new primary has the client's balance", || async {
        redis.second().command(&["DBSIZE"]).await.unwrap() != "0"
    })
    .await;
    let statuses = traffic.stop().await;
    assert_eq!(statuses.keys().collect::<Vec<_>>(), [&200], "{statuses:?}");
}
