//! Every response is counted once: a known mix of requests gives exact counters.

use crate::helpers::{Metrics, PATIENCE, TestApp, eventually, spawn_app, spawn_with};
use serde_json::json;
use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{Read, Write},
    net::{Shutdown, TcpStream},
};

/// Only `/cpu` is limited: three requests a day.
const LIMITS: &str = "[[policy]]\nname = \"cpu\"\nlimit = \"1/d\"\nburst = 3\nroutes = [\"/cpu\"]\n";

/// The expected counts.
#[derive(Default)]
struct Ledger {
    requests: BTreeMap<String, u32>,
    errors: BTreeMap<String, u32>,
}

impl Ledger {
    fn add(&mut self, times: u32, method: &str, route: &str, status: u16, error: &str) {
        let series =
            format!("http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}");
        *self.requests.entry(series).or_default() += times;
        if !error.is_empty() {
            *self.errors.entry(format!("api_errors_total{{error_type=\"{error}\"}}")).or_default() += times;
        }
    }
}

fn counted(metrics: &Metrics, family: &str) -> BTreeMap<String, u32> {
    let series = metrics.series(family).filter(|(_, value)| *value != 0.0);
    series.map(|(series, value)| (series.to_owned(), value as u32)).collect()
}

/// A scrape that counts scrapes, because they are requests too.
async fn scrape(app: &TestApp, scrapes: &Cell<u32>) -> (Metrics, usize) {
    let text = app.get("/metrics").await.text().await.unwrap();
    scrapes.set(scrapes.get() + 1);
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    (Metrics::parse(&text), series)
}

fn connect(app: &TestApp) -> TcpStream {
    let socket = TcpStream::connect(app.base.trim_start_matches("http://")).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Writes, then reads until the connection ends.
async fn raw(app: &TestApp, text: &str) -> String {
    let (mut socket, text) = (connect(app), text.to_owned());
    let exchange = move || {
        // A peer that closes with unread bytes resets the connection; what it sent before counts.
        let _ = socket.write_all(text.as_bytes());
        let mut response = Vec::new();
        let _ = socket.read_to_end(&mut response);
        String::from_utf8_lossy(&response).into_owned()
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

#[tokio::test]
async fn counts_a_known_mix_exactly() {
    let app = spawn_with(LIMITS, &[]).await;
    let (scrapes, mut ledger) = (Cell::new(0), Ledger::default());

    #[rustfmt::skip]
    let plain: &[(u32, &str, &str, &str, u16, &str)] = &[
        (3, "GET", "/", "/", 200, ""),
        (1, "POST", "/api/users?name=A&email=a@example.com", "/api/users", 201, ""),
        (1, "POST", "/api/users?name=B&email=b@example.com", "/api/users", 201, ""),
        (2, "POST", "/api/users?name=C&email=a@example.com", "/api/users", 409, "conflict"),
        (3, "POST", "/api/users?name=C&email=nope", "/api/users", 422, "validation"),
        (2, "GET", "/api/users?limit=0", "/api/users", 422, "validation"),
        (2, "GET", "/api/users/1", "/api/users/{id}", 200, ""),
        (2, "PUT", "/api/users/1?name=AA", "/api/users/{id}", 200, ""),
        (1, "PATCH", "/api/users/1?name=AAA", "/api/users/{id}", 200, ""),
        (1, "DELETE", "/api/users/2", "/api/users/{id}", 204, ""),
        (3, "DELETE", "/api/users/2", "/api/users/{id}", 404, "not_found"),
        (2, "GET", "/api/users/abc", "/api/users/{id}", 404, "not_found"),
        (4, "GET", "/slow?delay=whenever", "/slow", 400, "bad_request"),
        (1, "GET", "/api/slow?delay=1ms", "/api/slow", 200, ""),
        (4, "GET", "/error", "/error", 500, "requested"),
        (3, "GET", "/api/error?status=503", "/api/error", 503, "requested"),
        (1, "GET", "/error?status=418", "/error", 418, "requested"),
        (2, "DELETE", "/health", "/health", 405, "method_not_allowed"),
        (2, "HEAD", "/", "/", 200, ""),
        (2, "HEAD", "/error", "/error", 500, "requested"),
        (2, "HEAD", "/nowhere", "unmatched", 404, "not_found"),
        (3, "OPTIONS", "/api/users", "/api/users", 204, ""),
        (1, "OPTIONS", "/nowhere", "unmatched", 404, "not_found"),
        (1, "POST", "/nowhere", "unmatched", 404, "not_found"),
        (3, "GET", "/cpu?value=1", "/cpu", 200, ""),
        (5, "GET", "/cpu?value=1", "/cpu", 429, "rate_limited"),
    ];
    for (times, method, path, route, status, error) in plain {
        for _ in 0..*times {
            assert_eq!(app.send(method, path).await.status(), *status, "{method} {path}");
        }
        ledger.add(*times, method, route, *status, error);
    }

    let with = async |method: &str, path: &str, header: (&str, &str), body: String| {
        app.request(method, path)
            .header(header.0, header.1)
            .body(body)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    for _ in 0..4 {
        assert_eq!(with("GET", "/api/users/1", ("if-none-match", "*"), String::new()).await, 304);
    }
    ledger.add(4, "GET", "/api/users/{id}", 304, "");
    for _ in 0..2 {
        assert_eq!(with("PUT", "/api/users/1?name=X", ("if-match", "\"0-0\""), String::new()).await, 412);
    }
    ledger.add(2, "PUT", "/api/users/{id}", 412, "precondition_failed");
    // Requests that extractors reject before a handler runs.
    let json = ("content-type", "application/json");
    for _ in 0..3 {
        assert_eq!(with("POST", "/api/users", json, "{".to_owned()).await, 400);
    }
    ledger.add(3, "POST", "/api/users", 400, "bad_request");
    for _ in 0..2 {
        assert_eq!(with("POST", "/api/users", json, "x".repeat(70_000)).await, 413);
    }
    ledger.add(2, "POST", "/api/users", 413, "payload_too_large");
    for _ in 0..2 {
        assert_eq!(with("PATCH", "/api/users/1", ("content-type", "text/plain"), "x".to_owned()).await, 415);
    }
    ledger.add(2, "PATCH", "/api/users/{id}", 415, "unsupported_media_type");

    // Handlers that panic.
    app.put_fault("boom", json!({"route": "/update", "panic": true, "ttl": "60s"})).await;
    for _ in 0..3 {
        assert_eq!(app.get("/update?users=1").await.status(), 500);
    }
    ledger.add(3, "GET", "/update", 500, "internal");

    // Ten requests in one packet.
    let last = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let responses =
        raw(&app, &["GET /livez HTTP/1.1\r\nHost: x\r\n\r\n".repeat(9).as_str(), last].concat()).await;
    assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 10, "{responses}");
    ledger.add(10, "GET", "/livez", 200, "");

    // A body with invalid chunks.
    let head = "POST /api/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let response = raw(&app, &format!("{head}Transfer-Encoding: chunked\r\n\r\nnonsense\r\n\r\n")).await;
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    ledger.add(1, "POST", "/api/users", 400, "bad_request");

    // Clients that disconnect during the handler, and in the middle of a body.
    let waiting: Vec<TcpStream> = (0..5)
        .map(|_| {
            let mut socket = connect(&app);
            socket.write_all(b"GET /slow?delay=30s HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            socket
        })
        .collect();
    let slow = r#"http_requests_in_progress{method="GET",route="/slow"}"#;
    eventually("five are in progress", || async { scrape(&app, &scrapes).await.0.get(slow) == Some(5.0) })
        .await;
    drop(waiting);
    ledger.add(5, "GET", "/slow", 499, "");
    let mut half = connect(&app);
    half.write_all(format!("{head}Content-Length: 100\r\n\r\n{{\"na").as_bytes()).unwrap();
    let post = r#"http_requests_in_progress{method="POST",route="/api/users"}"#;
    eventually("the gateway waits for the body", || async {
        scrape(&app, &scrapes).await.0.get(post) == Some(1.0)
    })
    .await;
    half.shutdown(Shutdown::Both).unwrap();
    drop(half);
    // Either the extractor notices the truncated body first, or the server notices the disconnect; it is counted once
    // either way.
    let ended = |metrics: &Metrics| metrics.get(post) == Some(0.0);
    eventually("it is counted", || async { ended(&scrape(&app, &scrapes).await.0) }).await;
    match scrape(&app, &scrapes).await.0.requests("POST", "/api/users", 499) {
        1.0 => ledger.add(1, "POST", "/api/users", 499, ""),
        _ => ledger.add(1, "POST", "/api/users", 400, "bad_request"),
    }

    // One unknown value of each kind, then very many: no new series.
    for (method, path, route, status, error) in [
        ("BREW", "/", "/", 405, "method_not_allowed"),
        ("BREW", "/nowhere", "unmatched", 404, "not_found"),
        ("GET", "/nowhere", "unmatched", 404, "not_found"),
    ] {
        assert_eq!(app.send(method, path).await.status(), status);
        ledger.add(1, if method == "BREW" { "OTHER" } else { method }, route, status, error);
    }
    let settled = || async {
        let (metrics, _) = scrape(&app, &scrapes).await;
        metrics.sum("http_requests_in_progress") == 1.0 && metrics.requests("GET", "/slow", 499) == 5.0
    };
    eventually("only the scrape is in progress", settled).await;
    let (_, before) = scrape(&app, &scrapes).await;
    for i in 0..1000 {
        let path = format!("/{:x}/{i}?q={i}", (i * 2_654_435_761_u64) % 1_000_003);
        assert_eq!(app.get(&path).await.status(), 404);
    }
    ledger.add(1000, "GET", "unmatched", 404, "not_found");
    for i in 0..100 {
        assert_eq!(app.send(&format!("INVENTED{i}"), "/").await.status(), 405);
        assert_eq!(app.send(&format!("INVENTED{i}"), "/nowhere").await.status(), 404);
    }
    ledger.add(100, "OTHER", "/", 405, "method_not_allowed");
    ledger.add(100, "OTHER", "unmatched", 404, "not_found");

    let before_last = scrapes.get();
    let (metrics, after) = scrape(&app, &scrapes).await;
    // The scrape in progress is not counted yet.
    ledger.add(before_last, "GET", "/metrics", 200, "");
    assert_eq!(counted(&metrics, "http_requests_total"), ledger.requests);
    assert_eq!(counted(&metrics, "api_errors_total"), ledger.errors);
    assert_eq!(after, before, "unknown values added series");
    let total: u32 = ledger.requests.values().sum();
    for sum in ["app_requests_total", "request_count_total", "http_request_duration_seconds_count"] {
        assert_eq!(metrics.sum(sum), f64::from(total), "{sum}");
    }
    let busy: Vec<_> = counted(&metrics, "http_requests_in_progress").into_keys().collect();
    assert_eq!(busy, [r#"http_requests_in_progress{method="GET",route="/metrics"}"#], "the scrape itself");
    assert_eq!(metrics.get(r#"rate_limit_hits_total{policy="cpu"}"#), Some(5.0));
}

/// Input that the HTTP parser rejects never becomes a request and has no method or path. It is still counted, under the
/// labels for unknown values, and its response is a problem.
#[tokio::test]
async fn invalid_http_is_refused_and_counted() {
    let app = spawn_app().await;
    let many: String = (0..200).map(|i| format!("X-Header-{i}: v\r\n")).collect();
    let endless = format!("X-Endless: {}\r\n", "x".repeat(200_000));
    let (many, endless) =
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), format!("GET / HTTP/1.1\r\n{endless}\r\n"));
    for (bytes, status) in [
        ("nonsense\r\n\r\n", "400"),
        ("GET / HTTP/9.9\r\n\r\n", "400"),
        ("G@T / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nbad header\r\n\r\n", "400"),
        ("POST /api/users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: bogus\r\n\r\n", "400"),
        ("POST /api/users HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"),
        ("POST /api/users HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"),
        (&many, "431"),
        (&endless, "431"),
    ] {
        let response = raw(&app, bytes).await;
        let start = &bytes[..bytes.len().min(60)];
        // If bytes were left unread, the reset may discard the response.
        let lost = response.is_empty() && bytes.len() > 100_000;
        assert!(lost || response.starts_with(&format!("HTTP/1.1 {status} ")), "{start:?}: {response}");
        assert!(
            lost || response.contains("content-type: application/problem+json\r\n"),
            "{start:?}: {response}"
        );
        assert!(lost || response.contains(&format!("\"status\":{status},")), "{start:?}: {response}");
    }
    let metrics = app.metrics().await;
    let unread =
        |status: u16| format!(r#"http_requests_total{{method="OTHER",route="unmatched",status="{status}"}}"#);
    let expected = [(unread(400), 7), (unread(431), 2)];
    assert_eq!(counted(&metrics, "http_requests_total"), expected.into_iter().collect());
    assert_eq!(metrics.sum("http_requests_in_progress"), 1.0);
    assert_eq!(app.get("/livez").await.status(), 200, "others are served");
}
