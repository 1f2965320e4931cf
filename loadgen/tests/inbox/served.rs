//! Responses and history of the inbox.

use std::time::Duration;

use inbox::BODY_LIMIT;
use serde_json::Value;

use crate::running::{Running, slack, webhook};

/// The value of a counter in the text format.
fn counter(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(series));
    line.unwrap_or_else(|| panic!("no {series} in {metrics}")).rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn accepts_messages_and_responds_like_the_services() {
    let inbox = Running::start(100, None);
    assert_eq!(
        inbox.post("/webhook", webhook("firing", "HighErrorRate").to_string()).await,
        (200, String::new())
    );
    let (status, body) =
        inbox.post("/slack", slack("[RESOLVED:1] HighErrorRate (warning)").to_string()).await;
    assert_eq!((status, body.as_str()), (200, "ok"));

    let all = inbox.notifications(0).await;
    let [first, second] = &all[..] else { panic!("two: {all:?}") };
    assert_eq!((first.id, first.channel.as_str(), first.status.as_str()), (1, "webhook", "firing"));
    assert_eq!(first.alerts[0].fingerprint.as_deref(), Some("0badcafe00000001"));
    assert_eq!(first.alerts[0].labels["severity"], "warning");
    assert_eq!(first.body, webhook("firing", "HighErrorRate"));
    assert_eq!((second.id, second.channel.as_str(), second.status.as_str()), (2, "slack", "resolved"));
    assert_eq!((second.alerts[0].alert.as_str(), &second.alerts[0].starts_at), ("HighErrorRate", &None));
    assert!(second.received_at >= first.received_at);
    assert_eq!(inbox.notifications(1).await.len(), 1);
    assert!(inbox.notifications(2).await.is_empty());
    inbox.stop().await;
}

#[tokio::test]
async fn rejects_and_counts_invalid_messages() {
    let inbox = Running::start(100, None);
    let (_, kind, metrics) = inbox.get("/metrics").await;
    assert_eq!(kind, "text/plain; version=0.0.4");
    for series in [
        r#"inbox_notifications_total{channel="webhook",status="firing"}"#,
        r#"inbox_notifications_total{channel="webhook",status="resolved"}"#,
        r#"inbox_notifications_total{channel="slack",status="unknown"}"#,
        r#"inbox_bad_requests_total{channel="webhook"}"#,
        r#"inbox_bad_requests_total{channel="slack"}"#,
    ] {
        assert_eq!(counter(&metrics, series), 0.0);
    }

    let (status, reason) = inbox.post("/webhook", r#"{"version":"3"}"#).await;
    assert!(status == 400 && reason.contains("version 4"), "{status} {reason}");
    assert_eq!(inbox.post("/slack", "{").await, (400, "invalid_payload".into()));
    assert_eq!(inbox.post("/slack", "{}").await, (400, "no_text".into()));
    let large = " ".repeat(BODY_LIMIT) + &slack("[FIRING:1] A").to_string();
    let (status, reason) = inbox.post("/slack", large).await;
    assert!(status == 413 && reason.contains("1048576"), "{status} {reason}");
    let fits = slack("[FIRING:1] A").to_string();
    let fits = " ".repeat(BODY_LIMIT - fits.len()) + &fits;
    assert_eq!(inbox.post("/slack", fits).await.0, 200);

    let (_, _, metrics) = inbox.get("/metrics").await;
    assert_eq!(counter(&metrics, r#"inbox_bad_requests_total{channel="webhook"}"#), 1.0);
    assert_eq!(counter(&metrics, r#"inbox_bad_requests_total{channel="slack"}"#), 3.0);
    assert_eq!(counter(&metrics, r#"inbox_notifications_total{channel="slack",status="firing"}"#), 1.0);
    assert_eq!(inbox.notifications(0).await.len(), 1);

    let (status, _, reason) = inbox.get("/notifications?after=x").await;
    assert!(status == 400 && reason.contains("?after=ID"), "{status} {reason}");
    inbox.stop().await;
}

#[tokio::test]
async fn history_is_bounded_and_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let inbox = Running::start(3, Some(dir.path().to_owned()));
    for n in 1..=5 {
        inbox.post("/slack", slack(&format!("[FIRING:1] A{n}")).to_string()).await;
    }
    let ids = |all: Vec<clients::inbox::Notification>| all.iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(inbox.notifications(0).await), [3, 4, 5]);
    inbox.stop().await;

    let inbox = Running::start(3, Some(dir.path().to_owned()));
    let kept = inbox.notifications(0).await;
    assert_eq!(kept[2].alerts[0].alert, "A5");
    assert_eq!(ids(kept), [3, 4, 5]);
    inbox.post("/webhook", webhook("resolved", "A6").to_string()).await;
    assert_eq!(ids(inbox.notifications(0).await), [4, 5, 6]);
    let (_, _, listing) = inbox.get("/notifications?after=0&limit=1").await;
    let listing: Value = serde_json::from_str(&listing).unwrap();
    assert_eq!((&listing["last"], &listing["notifications"][0]["id"]), (&6.into(), &6.into()));
    assert_eq!(listing["notifications"].as_array().unwrap().len(), 1);
    let (_, _, listing) = inbox.get("/notifications?before=6&limit=1").await;
    let listing: Value = serde_json::from_str(&listing).unwrap();
    assert_eq!((&listing["first"], &listing["notifications"][0]["id"]), (&4.into(), &5.into()));
    assert_eq!(listing["notifications"].as_array().unwrap().len(), 1);
    inbox.stop().await;
}

#[tokio::test]
async fn serves_probes_and_a_self_contained_page() {
    let inbox = Running::start(3, None);
    assert_eq!(inbox.get("/livez").await.0, 200);
    assert_eq!(inbox.get("/readyz").await.0, 200);
    for (path, expected) in [
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/text.js", "text/javascript"),
        ("/message.js", "text/javascript"),
        ("/page.js", "text/javascript"),
        ("/status", "text/html"),
        ("/status.js", "text/javascript"),
    ] {
        let (status, kind, text) = inbox.get(path).await;
        assert!(status == 200 && kind.starts_with(expected), "{path}: {status} {kind}");
        assert!(!text.contains("://"), "{path} has an external link");
        assert!(!text.contains("innerHTML"), "{path} could turn foreign text into markup");
    }
    for path in ["/", "/page.js", "/livez", "/metrics", "/notifications", "/heartbeat"] {
        let url = format!("{}{path}", inbox.base);
        let (got, head) =
            (inbox.http.get(&url).send().await.unwrap(), inbox.http.head(&url).send().await.unwrap());
        assert_eq!((head.status(), head.status().as_u16()), (got.status(), 200), "{path}");
        let kind = |response: &reqwest::Response| response.headers()["content-type"].clone();
        assert_eq!(kind(&head), kind(&got), "{path}");
        assert_eq!(head.text().await.unwrap(), "", "{path}");
    }
    let response = inbox.http.get(&inbox.base).send().await.unwrap();
    assert!(
        response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
    );
    drop(response);
    inbox.stop().await;
}

#[tokio::test]
async fn stops_within_its_limit_while_a_connection_is_open() {
    let inbox = Running::start(3, None);
    let address = inbox.base.trim_start_matches("http://").to_owned();
    let idle = tokio::net::TcpStream::connect(&address).await.unwrap();
    assert_eq!(inbox.get("/livez").await.0, 200);
    tokio::time::timeout(Duration::from_secs(20), inbox.stop())
        .await
        .expect("two seconds of draining, not twenty");
    drop(idle);
}
