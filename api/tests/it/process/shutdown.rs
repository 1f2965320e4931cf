//! The life of the binary: it listens, logs, drains on SIGTERM and ends.

use crate::{
    helpers::{PATIENCE, eventually, spawn_with},
    process::running::Running,
};
use nix::sys::signal::Signal;
use serde_json::Value;

#[tokio::test]
async fn sigterm_drains_and_ends_with_0() {
    let mut api = Running::start(&["--drain-delay", "4s"]);
    assert_eq!(api.status("/readyz").await, Some(200));
    let slow = api.begin("/slow?delay=7s").await;
    api.signal(Signal::SIGTERM);
    eventually("it is not ready any more", || async { api.status("/readyz").await == Some(503) }).await;
    assert_eq!(api.admin_status("/readyz").await, Some(503), "on both listeners");
    assert_eq!(api.status("/api/users").await, Some(200), "it still serves during the drain delay");
    let back = api.client.delete(format!("{}/drain", api.admin)).send().await.unwrap();
    assert_eq!(back.status(), 409, "a stop cannot be ended");
    eventually("the public listener closes", || async { api.status("/livez").await.is_none() }).await;
    assert_eq!(api.admin_status("/readyz").await, Some(503), "the admin listener closes after it");
    assert_eq!(api.admin_status("/metrics").await, Some(200));
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
    api.signal(Signal::SIGTERM);
    eventually("it is not ready any more", || async { api.status("/readyz").await == Some(503) }).await;
    api.signal(Signal::SIGTERM);
    assert_eq!(api.ended().await.code(), Some(128 + Signal::SIGTERM as i32));
    assert!(slow.await.unwrap().is_err());
}

#[tokio::test]
async fn cuts_off_requests_after_the_shutdown_timeout() {
    let mut api = Running::start(&["--drain-delay", "0s", "--shutdown-timeout", "1s"]);
    let slow = api.begin("/slow?delay=30s").await;
    // Ctrl-C of a shell, and a fault that the stop lifts.
    let fault = serde_json::json!({"route": "/", "delay": "60s", "ttl": "10m"});
    let put = api.client.put(format!("{}/faults/x", api.admin)).json(&fault).send().await.unwrap();
    assert_eq!(put.status(), 201);
    api.signal(Signal::SIGINT);
    assert_eq!(api.ended().await.code(), Some(0));
    assert!(slow.await.unwrap().is_err());
}

#[tokio::test]
async fn the_library_stops_on_request() {
    let mut app = spawn_with(&crate::helpers::roomy(), &[]).await;
    assert_eq!(app.get("/").await.status(), 200);
    app.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(PATIENCE, &mut app.served).await.unwrap().unwrap().unwrap();
    for base in [&app.base, &app.admin] {
        assert!(app.client.get(base).send().await.is_err(), "nothing listens any more");
    }
}

#[tokio::test]
async fn a_requested_drain_can_become_a_stop() {
    let mut api = Running::start(&["--drain-delay", "0s"]);
    let drain = api.client.post(format!("{}/drain", api.admin)).send().await.unwrap();
    assert_eq!(drain.status(), 200);
    assert_eq!((api.status("/readyz").await, api.status("/api/users").await), (Some(503), Some(200)));
    api.signal(Signal::SIGTERM);
    assert_eq!(api.ended().await.code(), Some(0));
}
