//! What web pages in a browser on the inbox's network can do: nothing.

use reqwest::Method;
use reqwest::header::{HOST, ORIGIN};

use crate::running::{Running, slack};

/// Sends a request as a browser would for a page of `origin`, under the name `host`.
async fn send(
    inbox: &Running,
    (method, path): (Method, &str),
    host: &str,
    origin: Option<&str>,
) -> (u16, String) {
    let body = match path {
        "/slack" => slack("[FIRING:1] Forged").to_string(),
        "/lease" => r#"{"host":"a","pid":1,"since":"2026-11-29T12:00:00Z","ttl":"1s"}"#.to_owned(),
        _ => r#"{"status":500,"ttl":"60s"}"#.to_owned(),
    };
    let mut request =
        inbox.http.request(method, format!("{}{path}", inbox.base)).header(HOST, host).body(body);
    if let Some(origin) = origin {
        request = request.header(ORIGIN, origin);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let inbox = Running::start(10, None);
    let own = inbox.base.trim_start_matches("http://").to_owned();
    for request in [
        (Method::POST, "/slack"),
        (Method::POST, "/webhook"),
        (Method::PUT, "/fail/slack"),
        (Method::DELETE, "/fail/slack"),
        (Method::PUT, "/lease"),
    ] {
        for origin in ["https://evil.example", "null", "http://127.0.0.1:3000", ""] {
            let (status, reason) = send(&inbox, request.clone(), &own, Some(origin)).await;
            assert!(
                status == 403 && reason.contains("other sites"),
                "{request:?} {origin}: {status} {reason}"
            );
        }
        // After rebinding, the page and the inbox have the same name.
        let (status, _) =
            send(&inbox, request.clone(), "evil.example:8025", Some("http://evil.example:8025")).await;
        assert_eq!(status, 403, "{request:?}");
    }
    assert_eq!(inbox.notifications(0).await.len(), 0);
    assert_eq!(inbox.get("/fail").await.2, "{}");
    let own_page = format!("http://{own}");
    assert_eq!(send(&inbox, (Method::PUT, "/fail/slack"), &own, Some(&own_page)).await.0, 204);
    inbox.stop().await;
}

#[tokio::test]
async fn unknown_host_names_read_and_change_nothing() {
    let inbox = Running::start(10, None);
    for path in [
        "/",
        "/page.js",
        "/notifications",
        "/heartbeat",
        "/fail",
        "/metrics",
        "/metrics/drills",
        "/livez",
        "/x",
    ] {
        let (status, reason) = send(&inbox, (Method::GET, path), "evil.example:8025", None).await;
        assert!(status == 403 && reason.contains("`evil.example:8025`"), "{path}: {status} {reason}");
        assert!(reason.contains("--allow-host"), "{reason}");
    }
    for request in [(Method::PUT, "/fail/slack"), (Method::DELETE, "/fail/slack"), (Method::PUT, "/lease")] {
        assert_eq!(send(&inbox, request.clone(), "evil.example", None).await.0, 403, "{request:?}");
    }
    for host in ["inbox:8025", "localhost:8025", "192.0.2.1"] {
        assert_eq!(send(&inbox, (Method::GET, "/notifications"), host, None).await.0, 200, "{host}");
    }
    // Alertmanager may know it under any name.
    assert_eq!(send(&inbox, (Method::POST, "/slack"), "alerts.example", None).await.0, 200);
    inbox.stop().await;
}
