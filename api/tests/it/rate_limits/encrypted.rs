//! Redis over TLS, which demands a certificate of the gateway.

use crate::helpers::{TestApp, eventually, policy, spawn_with};
use testkit::{Certificates, Redis, RedisCluster, RedisSentinel};

/// Two gateways that share a limit of five a day.
async fn pair(url: &str, certificates: &Certificates) -> [TestApp; 2] {
    let [ca, cert, key] = [certificates.ca(), certificates.cert(), certificates.key()];
    let paths = [("--redis-tls-ca", ca), ("--redis-tls-cert", cert), ("--redis-tls-key", key)];
    let paths = paths.map(|(flag, path)| [flag.to_owned(), path.display().to_string()]).concat();
    let own = ["--redis-url", url, "--redis-deadline", "5s", "--redis-key-prefix", "encrypted:"];
    let flags: Vec<&str> = own.into_iter().chain(paths.iter().map(String::as_str)).collect();
    let text = policy("default", "1/d", 5);
    [spawn_with(&text, &flags).await, spawn_with(&text, &flags).await]
}

/// Both count together, so the decisions are made in Redis.
async fn share(apps: &[TestApp; 2]) {
    for app in apps {
        app.health_becomes("ok").await;
    }
    let mut statuses = Vec::new();
    for call in 0..10 {
        statuses.push(apps[call % 2].get("/").await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429, 429, 429]);
}

#[tokio::test]
async fn one_server_a_cluster_and_sentinels() {
    let certificates = Certificates::make().unwrap();
    let redis = Redis::start_encrypted(&certificates, &[]).await.unwrap();
    share(&pair(&format!("rediss://127.0.0.1:{}", redis.peer_port()), &certificates).await).await;
    let cluster = RedisCluster::start_encrypted(&certificates).await.unwrap();
    share(&pair(&cluster.url(), &certificates).await).await;
    let mut sentinel = RedisSentinel::start_encrypted(&certificates).await.unwrap();
    let apps = pair(&sentinel.url(), &certificates).await;
    share(&apps).await;
    sentinel.first().kill().await;
    sentinel.failed_over().await.unwrap();
    for app in &apps {
        app.health_becomes("ok").await;
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_an_outage_that_ends_with_the_right_one() {
    let (certificates, others) = (Certificates::make().unwrap(), Certificates::make().unwrap());
    let redis = Redis::start_encrypted(&certificates, &[]).await.unwrap();
    let url = format!("rediss://127.0.0.1:{}", redis.peer_port());
    // The gateway does not trust Redis, and Redis does not trust a gateway that shows nothing.
    for app in pair(&url, &others).await {
        app.health_becomes("degraded").await;
    }
    let ca = certificates.ca().display().to_string();
    let flags = ["--redis-url", &url, "--redis-tls-ca", &ca, "--redis-deadline", "5s"];
    let app = spawn_with(&policy("default", "1/d", 5), &flags).await;
    app.health_becomes("degraded").await;
    eventually("no decision comes from Redis", || async {
        let metrics = app.metrics().await;
        metrics.get("rate_limit_backend_up") == Some(0.0)
    })
    .await;
    share(&pair(&url, &certificates).await).await;
}
