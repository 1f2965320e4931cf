//! Requests that are refused whoever sends them.

use crate::helpers::{TestApp, problem, roomy, spawn_app, spawn_with};
use reqwest::Response;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn raw(app: &TestApp, request: &str) -> String {
    let mut stream = TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    tokio::time::timeout(crate::helpers::PATIENCE, stream.read_to_string(&mut response))
        .await
        .unwrap()
        .unwrap();
    response
}

#[tokio::test]
async fn a_malformed_host_is_400() {
    let app = spawn_app().await;
    for (lines, status) in [
        ("Host: a\r\n", 200),
        ("Host: [::1]:8000\r\n", 200),
        ("", 400),
        ("Host: a\r\nHost: b\r\n", 400),
        ("Host: a b\r\n", 400),
        ("Host: a/b\r\n", 400),
        ("Host: me@a\r\n", 400),
        ("Host: a:port\r\n", 400),
    ] {
        let response = raw(&app, &format!("GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n")).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{lines:?}: {response}");
        assert_eq!(response.contains("application/problem+json"), status == 400, "{lines:?}: {response}");
    }
    assert!(raw(&app, "GET / HTTP/1.0\r\n\r\n").await.starts_with("HTTP/1.0 200 "), "optional before 1.1");
    // The HTTP parser itself refuses some of them.
    let metrics = app.metrics().await;
    assert_eq!(metrics.requests("GET", "/", 400) + metrics.requests("OTHER", "unmatched", 400), 6.0);
}

async fn by(app: &TestApp, header: (&str, &str), method: &str, path: &str) -> Response {
    app.request(method, path).header(header.0, header.1).send().await.unwrap()
}

#[tokio::test]
async fn a_page_of_another_site_cannot_write() {
    let app = spawn_with(&roomy(), &["--cors-origins", "https://app.example.com"]).await;
    let own = app.base.clone();
    for (header, fine) in [
        (("origin", "https://evil.example"), false),
        (("origin", "null"), false),
        (("sec-fetch-site", "cross-site"), false),
        (("origin", &own), true),
        (("origin", "https://app.example.com"), true),
        (("sec-fetch-site", "same-origin"), true),
    ] {
        // What a form or an image of the page can send without asking.
        let create =
            by(&app, header, "POST", &format!("/api/users?name=A&email={}@example.com", header.1.len()))
                .await;
        let set = by(&app, header, "GET", "/update?users=7").await;
        if fine {
            assert_eq!((create.status().as_u16(), set.status().as_u16()), (201, 200), "{header:?}");
        } else {
            let refused = problem(create, 403).await;
            assert!(refused["detail"].as_str().unwrap().contains("CORS_ORIGINS"), "{refused}");
            problem(set, 403).await;
        }
        assert_eq!(by(&app, header, "GET", "/api/users").await.status(), 200, "reads go on: {header:?}");
    }
    assert_eq!(app.metrics().await.get("api_errors_total{error_type=\"forbidden\"}"), Some(6.0));
}

#[tokio::test]
async fn test_endpoints_can_be_switched_off() {
    let (on, off) = (spawn_app().await, spawn_with(&roomy(), &["--test-endpoints", "false"]).await);
    for (path, status) in [
        ("/slow?delay=1ms", 200),
        ("/api/slow?delay=1ms", 200),
        ("/error?status=503:100", 503),
        ("/api/error?status=503:100", 503),
        ("/update?users=1", 200),
        ("/cpu?value=1", 200),
    ] {
        assert_eq!(on.get(path).await.status(), status, "{path}");
        let refused = problem(off.get(path).await, 404).await;
        assert!(refused["detail"].as_str().unwrap().contains("TEST_ENDPOINTS"), "{refused}");
    }
    assert_eq!(off.get("/api/users").await.status(), 200);
}
