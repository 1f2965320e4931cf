use crate::helpers::{PATIENCE, header, problem, spawn_app};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn index_lists_every_path() {
    let app = spawn_app().await;
    let response = app.get("/").await;
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), "application/json");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["name"], "firedrill api");
    assert_eq!(body["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(body["links"]["/api/users"], json!(["GET", "HEAD", "POST"]));
    for path in body["links"].as_object().unwrap().keys().filter(|path| !path.contains('{')) {
        let status = app.send("OPTIONS", path).await.status();
        assert_eq!(status, 204, "{path} is linked but does not exist");
    }
}

#[tokio::test]
async fn probes_respond() {
    let app = spawn_app().await;
    let (status, health) = app.health().await;
    assert_eq!(status, 200);
    assert_eq!(health, json!({"status": "ok", "components": {"database": "ok", "redis": "not configured"}}));
    for (path, word) in [("/livez", "alive"), ("/readyz", "ready")] {
        let response = app.get(path).await;
        assert_eq!(response.status(), 200);
        assert!(response.headers().get("x-ratelimit-limit").is_none(), "probes are not limited");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({"status": word}));
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let app = spawn_app().await;
    app.send("POST", "/api/users?name=Ada&email=ada@example.com").await;
    for path in [
        "/",
        "/health",
        "/livez",
        "/readyz",
        "/metrics",
        "/api/users",
        "/api/users/1",
        "/slow?delay=1ms",
        "/api/error?status=503",
        "/update?users=1",
        "/cpu?value=1",
        "/nope",
    ] {
        let head = app.send("HEAD", path).await;
        let get = app.get(path).await;
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(head.headers().get("content-type"), get.headers().get("content-type"), "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn options_and_wrong_methods_list_allowed_methods() {
    let app = spawn_app().await;
    for (path, allow) in [
        ("/", "GET, HEAD, OPTIONS"),
        ("/slow", "GET, HEAD, OPTIONS"),
        ("/api/users", "GET, HEAD, POST, OPTIONS"),
        ("/api/users/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
    ] {
        let options = app.send("OPTIONS", path).await;
        assert_eq!((options.status().as_u16(), header(&options, "allow")), (204, allow));
        let wrong = app.send("TRACE", path).await;
        assert_eq!(header(&wrong, "allow"), allow);
        problem(wrong, 405).await;
    }
}

#[tokio::test]
async fn options_of_the_server_lists_its_methods() {
    let app = spawn_app().await;
    let mut stream = TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap();
    stream.write_all(b"OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut response = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut response)).await.unwrap().unwrap();
    assert!(response.starts_with("HTTP/1.1 204 "), "{response}");
    assert!(response.contains("\r\nallow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"), "{response}");
}

#[tokio::test]
async fn slow_takes_the_requested_delay() {
    let app = spawn_app().await;
    for path in ["/slow", "/api/slow"] {
        let started = Instant::now();
        let response = app.get(&format!("{path}?delay=120ms")).await;
        assert_eq!(response.status(), 200);
        assert!(started.elapsed() >= Duration::from_millis(120));
        assert_eq!(response.json::<Value>().await.unwrap()["delay_seconds"], 0.12);
    }
    let started = Instant::now();
    let usual: Value = app.get("/slow").await.json().await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(2));
    assert!((2.0..3.0).contains(&usual["delay_seconds"].as_f64().unwrap()), "{usual}");
}

#[tokio::test]
async fn slow_distributions_pick_by_share() {
    let app = spawn_app().await;
    let mut delays = Vec::new();
    for _ in 0..200 {
        let body: Value = app.get("/slow?delay=1ms:50,2ms:25").await.json().await.unwrap();
        delays.push(body["delay_seconds"].as_f64().unwrap());
    }
    let count = |delay: f64| delays.iter().filter(|d| **d == delay).count();
    let (one, two, none) = (count(0.001), count(0.002), count(0.0));
    assert_eq!(one + two + none, 200);
    // Five standard deviations of the binomial: fails by chance once in three million runs.
    assert!(
        (65..=135).contains(&one) && (20..=80).contains(&two) && (20..=80).contains(&none),
        "{one} {two} {none}"
    );
}

#[tokio::test]
async fn error_returns_the_requested_status() {
    let app = spawn_app().await;
    for path in ["/error", "/api/error"] {
        problem(app.get(path).await, 500).await;
        problem(app.get(&format!("{path}?status=404")).await, 404).await;
    }
    let mut errors = 0;
    for _ in 0..200 {
        match app.get("/error?status=503:30").await.status().as_u16() {
            503 => errors += 1,
            other => assert_eq!(other, 200),
        }
    }
    assert!((27..=93).contains(&errors), "{errors} of 200 at 30 %");
}

#[tokio::test]
async fn invalid_parameters_are_400_and_explained() {
    let app = spawn_app().await;
    for (path, needle) in [
        ("/error?status=abc", "400 to 599"),
        ("/error?status=200", "400 to 599"),
        ("/error?status=503:0", "above 0"),
        ("/api/error?status=503:60,500:60", "120 %"),
        ("/slow?delay=fast", "250ms"),
        ("/api/slow?delay=1ms,2ms:4", "share"),
    ] {
        let body = problem(app.get(path).await, 400).await;
        assert!(body["detail"].as_str().unwrap().contains(needle), "{path}: {body}");
    }
}

#[tokio::test]
async fn gauges_are_set_by_requests() {
    let app = spawn_app().await;
    assert_eq!(app.get("/update?users=42").await.status(), 200);
    assert_eq!(app.get("/cpu?value=87.5").await.status(), 200);
    for (path, pointer) in [
        ("/update?users=-1", "#/users"),
        ("/update?users=1.5", "#/users"),
        ("/update", "#/users"),
        ("/cpu?value=100.1", "#/value"),
        ("/cpu?value=NaN", "#/value"),
        ("/cpu", "#/value"),
    ] {
        let body = problem(app.get(path).await, 422).await;
        assert_eq!(body["errors"][0]["pointer"], pointer, "{path}");
    }
    let metrics = app.metrics().await;
    assert_eq!(metrics.get("app_active_users"), Some(42.0));
    assert_eq!(metrics.get("app_cpu_usage_percent"), Some(87.5));
}
