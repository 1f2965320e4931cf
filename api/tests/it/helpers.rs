//! One gateway per test, with its own port, database and Redis key prefix.

use api::{Config, Gateway, Listeners};
use clap::Parser;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    future::Future,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, task::JoinHandle};

/// Longest wait for a condition; far more than it should ever need.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct TestApp {
    pub base: String,
    /// The admin listener.
    pub admin: String,
    pub client: Client,
    pub stop: Option<oneshot::Sender<()>>,
    pub served: JoinHandle<Result<(), api::StartError>>,
    // Has the policy file, and the database unless that is elsewhere.
    _dir: tempfile::TempDir,
}

/// A gateway with local limits of a million requests a second, so that no test is refused by accident.
pub async fn spawn_app() -> TestApp {
    spawn_with(&roomy(), &[]).await
}

/// Policies that no test exceeds.
pub fn roomy() -> String {
    policy("default", "1000000/s", 1_000_000)
}

pub fn policy(name: &str, limit: &str, burst: u64) -> String {
    format!("[[policy]]\nname = \"{name}\"\nlimit = \"{limit}\"\nburst = {burst}\n")
}

/// A gateway with these policies and further flags.
pub async fn spawn_with(policies: &str, flags: &[&str]) -> TestApp {
    spawn_at(None, policies, flags).await
}

/// A gateway on this database, or on a new SQLite file.
pub async fn spawn_at(database: Option<&str>, policies: &str, flags: &[&str]) -> TestApp {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("limits.toml");
    std::fs::write(&file, policies).unwrap();
    let own = format!("sqlite://{}", dir.path().join("test.db").display());
    let mut args = vec![
        "api",
        "--database-url",
        database.unwrap_or(&own),
        "--workers",
        "2",
        "--drain-delay",
        "0s",
        "--rate-limits-file",
    ];
    args.push(file.to_str().unwrap());
    args.extend(flags);
    let config = Config::try_parse_from(args).unwrap();

    let (public, admin) = (free_port(), free_port());
    let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let (base, admin_base) = (url(&public), url(&admin));
    let gateway = Gateway::prepare(&config).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(gateway.serve(Listeners { public, admin }, async {
        stopped.await.unwrap_or(());
    }));
    let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    TestApp { base, admin: admin_base, client, stop: Some(stop), served, _dir: dir }
}

fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A gateway with limits in Redis, under its own prefix unless `prefix` names a shared one. Returns once Redis decides.
pub async fn spawn_on_redis(url: &str, policies: &str, prefix: Option<&str>) -> TestApp {
    let app = spawn_without_waiting(url, policies, prefix).await;
    app.health_becomes("ok").await;
    app
}

/// Same, without waiting for Redis.
pub async fn spawn_without_waiting(url: &str, policies: &str, prefix: Option<&str>) -> TestApp {
    let own = format!("test-{}:", uuid::Uuid::new_v4().simple());
    // The default deadline of 10 ms is for production; a debug build on a busy machine may miss it.
    let flags = ["--redis-url", url, "--redis-key-prefix", prefix.unwrap_or(&own), "--redis-deadline", "5s"];
    spawn_with(policies, &flags).await
}

impl TestApp {
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn send(&self, method: &str, path: &str) -> Response {
        self.request(method, path).send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send("GET", path).await
    }

    pub async fn send_json(&self, method: &str, path: &str, body: Value) -> Response {
        self.request(method, path).json(&body).send().await.unwrap()
    }

    /// A request to the admin listener.
    pub fn admin(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.admin))
    }

    /// PUTs a fault that must be accepted.
    pub async fn put_fault(&self, id: &str, fault: Value) -> Value {
        let response = self.admin("PUT", &format!("/faults/{id}")).json(&fault).send().await.unwrap();
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        assert!([200, 201].contains(&status), "{fault}: {status} {body}");
        body
    }

    /// Lifts a fault that must exist.
    pub async fn lift_fault(&self, id: &str) {
        let response = self.admin("DELETE", &format!("/faults/{id}")).send().await.unwrap();
        assert_eq!(response.status(), 204, "{id}");
    }

    pub async fn metrics(&self) -> Metrics {
        Metrics::parse(&self.get("/metrics").await.text().await.unwrap())
    }

    /// The admin listener's own metrics.
    pub async fn custom_metrics(&self) -> Metrics {
        Metrics::parse(&self.admin("GET", "/metrics").send().await.unwrap().text().await.unwrap())
    }

    /// Pauses or resumes the ingest worker.
    pub async fn pause(&self, paused: bool) {
        if paused {
            self.put_fault("pause", json!({"pause": "ingest", "ttl": "60s"})).await;
        } else {
            assert!(self.admin("DELETE", "/faults/pause").send().await.unwrap().status().is_success());
        }
    }

    /// Stops it like SIGTERM, and waits for the end.
    pub async fn shut_down(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.served).await.unwrap().unwrap().unwrap();
    }

    pub async fn health(&self) -> (u16, Value) {
        let response = self.get("/health").await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub async fn health_becomes(&self, status: &str) {
        eventually(&format!("health {status}"), || async { self.health().await.1["status"] == status }).await;
    }
}

/// A scrape: series as written, such as `name{a="b"}`, with values.
pub struct Metrics(HashMap<String, f64>);

impl Metrics {
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let split = |line: &str| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        };
        Self(lines.map(split).collect())
    }

    /// The value of a series, if it exists.
    pub fn get(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// `http_requests_total` of one label set, 0 if it does not exist.
    pub fn requests(&self, method: &str, route: &str, status: u16) -> f64 {
        let series =
            format!("http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}");
        self.get(&series).unwrap_or(0.0)
    }

    /// The sum over all series of a family.
    pub fn sum(&self, family: &str) -> f64 {
        self.series(family).map(|(_, value)| value).sum()
    }

    pub fn series(&self, family: &str) -> impl Iterator<Item = (&str, f64)> {
        let prefix = format!("{family}{{");
        self.0
            .iter()
            .filter(move |(series, _)| series.starts_with(&prefix) || **series == prefix[..prefix.len() - 1])
            .map(|(series, value)| (series.as_str(), *value))
    }
}

/// Waits until a condition holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE, "timeout after {PATIENCE:?} waiting for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    let value = response.headers().get(name).unwrap_or_else(|| panic!("no {name} in {response:?}"));
    value.to_str().unwrap()
}

/// Checks that a response is a problem of this status and returns its body.
pub async fn problem(response: Response, status: u16) -> Value {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    let id = header(&response, "x-request-id").to_owned();
    let trace = header(&response, "traceresponse")[3..35].to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status, "{body}");
    assert_eq!(body["request_id"], id.as_str(), "{body}");
    assert_eq!(body["trace_id"], trace.as_str(), "{body}");
    assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{body}");
    body
}

/// The binary under test with a clean environment, in its own folder, with its admin listener on a free port.
pub fn binary(dir: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_api"));
    command.env_clear().env("ADMIN_LISTEN", "127.0.0.1:0").current_dir(dir);
    command
}
