//! The binary's life: it listens, logs, drains on SIGTERM and ends.

use crate::helpers::{Metrics, PATIENCE, binary, eventually, spawn_with};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Instant,
};

/// A running binary; killed when dropped.
struct Running {
    child: Child,
    lines: Receiver<Value>,
    base: String,
    client: reqwest::Client,
    _dir: tempfile::TempDir,
}

impl Running {
    fn start(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut child = binary(dir.path())
            .args(["--listen", "127.0.0.1:0", "--workers", "2"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        let listening = lines.iter().find(|line: &Value| line["message"] == "listening").expect("it listens");
        let base = format!("http://{}", listening["address"].as_str().unwrap());
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { child, lines, base, client, _dir: dir }
    }

    async fn status(&self, path: &str) -> Option<u16> {
        Some(self.client.get(format!("{}{path}", self.base)).send().await.ok()?.status().as_u16())
    }

    fn signal(&self) {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM).unwrap();
    }

    /// Sends a request for `path` and returns once it is in progress.
    async fn begin(&self, path: &str) -> tokio::task::JoinHandle<Result<u16, reqwest::Error>> {
        let (client, url) = (self.client.clone(), format!("{}{path}", self.base));
        let answer = tokio::spawn(async move { Ok(client.get(url).send().await?.status().as_u16()) });
        eventually("the request is in progress", || async {
            let text =
                self.client.get(format!("{}/metrics", self.base)).send().await.unwrap().text().await.unwrap();
            let series = r#"http_requests_in_progress{method="GET",route="/slow"}"#;
            Metrics::parse(&text).get(series) == Some(1.0)
        })
        .await;
        answer
    }

    async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn sigterm_drains_and_ends_with_0() {
    let mut api = Running::start(&["--drain-delay", "4s"]);
    assert_eq!(api.status("/readyz").await, Some(200));
    let slow = api.begin("/slow?delay=7s").await;
    api.signal();
    eventually("it is not ready any more", || async { api.status("/readyz").await == Some(503) }).await;
    assert_eq!(api.status("/api/users").await, Some(200), "it still serves during the drain delay");
    assert_eq!(slow.await.unwrap().unwrap(), 200, "a request in flight finishes");
    assert_eq!(api.ended().await.code(), Some(0));
    let lines: Vec<Value> = api.lines.iter().collect();
    assert!(lines.iter().all(Value::is_object), "every line is JSON: {lines:?}");
    let slow = lines.iter().find(|line| line["route"] == "/slow").unwrap();
    assert_eq!(
        (&slow["status"], &slow["method"], &slow["level"]),
        (&200.into(), &"GET".into(), &"INFO".into())
    );
    assert!(slow["duration_ms"].as_f64().unwrap() >= 7000.0);
    assert_eq!(slow["request_id"].as_str().unwrap().len(), 32);
    assert_eq!(lines.last().unwrap()["message"], "stopped");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut api = Running::start(&["--drain-delay", "30s"]);
    let slow = api.begin("/slow?delay=30s").await;
    api.signal();
    eventually("it is not ready any more", || async { api.status("/readyz").await == Some(503) }).await;
    api.signal();
    assert_eq!(api.ended().await.code(), Some(128 + Signal::SIGTERM as i32));
    assert!(slow.await.unwrap().is_err());
}

#[tokio::test]
async fn requests_past_the_shutdown_timeout_are_cut() {
    let mut api = Running::start(&["--drain-delay", "0s", "--shutdown-timeout", "1s"]);
    let slow = api.begin("/slow?delay=30s").await;
    api.signal();
    assert_eq!(api.ended().await.code(), Some(0));
    assert!(slow.await.unwrap().is_err());
}

#[tokio::test]
async fn the_library_stops_when_its_caller_says_so() {
    let mut app = spawn_with(&crate::helpers::roomy(), &[]).await;
    assert_eq!(app.get("/").await.status(), 200);
    app.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(PATIENCE, &mut app.served).await.unwrap().unwrap().unwrap();
    assert!(app.client.get(&app.base).send().await.is_err(), "nobody listens any more");
}
