//! POST `/inference`: predictions, refusals, the bound of the queue and the deadline.

use crate::{
    helpers::{PATIENCE, TestApp, eventually, header, problem},
    models::folder::{Folder, IRIS, spawn_on},
};
use serde_json::{Value, json};
use std::{io::Write, net::TcpStream};

/// Slows every run by a minute, far beyond the end of any test.
async fn slow(app: &TestApp) {
    app.put_fault("slow", json!({"model": {"delay": "60s"}, "ttl": "10m"})).await;
}

fn input() -> Value {
    json!({"model_name": "iris", "input_data": [IRIS]})
}

async fn infer(app: &TestApp, body: Value) -> reqwest::Response {
    app.send_json("POST", "/inference", body).await
}

/// Sends in the background; returns the status and whether there is a Retry-After.
fn infer_later(app: &TestApp) -> tokio::task::JoinHandle<(u16, bool)> {
    let request = app.request("POST", "/inference").json(&input());
    tokio::spawn(async move {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.headers().contains_key("retry-after"))
    })
}

async fn depth_becomes(app: &TestApp, depth: f64) {
    eventually(&format!("{depth} wait"), || async {
        app.metrics().await.get("inference_queue_depth") == Some(depth)
    })
    .await;
}

#[tokio::test]
async fn rows_become_predictions_and_classes() {
    let app = spawn_on(&Folder::shipped(), &[]).await;
    let rows = json!([[5.1, 3.5, 1.4, 0.2], [5.0, 2.0, 3.5, 1.0], [6.9, 3.2, 5.7, 2.3]]);
    let response = infer(&app, json!({"model_name": "iris", "input_data": rows})).await;
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), "application/json");
    assert!(!response.headers().contains_key("x-fault-injected"));
    let response: Value = response.json().await.unwrap();
    assert_eq!(response["model_name"], "iris");
    assert_eq!(response["predicted_classes"], json!(["setosa", "versicolor", "virginica"]));
    for row in response["predictions"].as_array().unwrap() {
        let row: Vec<f64> = serde_json::from_value(row.clone()).unwrap();
        assert_eq!(row.len(), 3);
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{row:?}");
    }
    // Row 60 of the data set: a three, as sixteen shades in eight by eight.
    let three = [
        [0, 0, 10, 15, 14, 4, 0, 0],
        [0, 0, 4, 6, 13, 16, 2, 0],
        [0, 0, 0, 3, 16, 9, 0, 0],
        [0, 0, 0, 1, 16, 6, 0, 0],
        [0, 0, 0, 0, 10, 12, 0, 0],
        [0, 0, 0, 0, 1, 16, 4, 0],
        [0, 1, 9, 5, 6, 16, 7, 0],
        [0, 0, 14, 12, 15, 11, 2, 0],
    ];
    let body = json!({"model_name": "digits", "input_data": [three.as_flattened()]});
    let response: Value = infer(&app, body).await.json().await.unwrap();
    assert_eq!(response["predicted_classes"], json!(["3"]));

    let metrics = app.metrics().await;
    for (name, runs) in [("iris", 1.0), ("digits", 1.0)] {
        let series = format!("inference_duration_seconds_count{{model=\"{name}\"}}");
        assert_eq!(metrics.get(&series), Some(runs), "{name}");
    }
    let full = json!({"model_name": "digits", "input_data": vec![vec![15.0625; 64]; 1024]});
    let response: Value = infer(&app, full).await.json().await.unwrap();
    assert_eq!(response["predictions"].as_array().unwrap().len(), 1024);
}

#[tokio::test]
async fn unusable_rows_are_explained() {
    let app = spawn_on(&Folder::shipped(), &[]).await;
    let iris = |data: Value| json!({"model_name": "iris", "input_data": data});
    for (body, status, pointers) in [
        (json!({"model_name": "none", "input_data": [[1]]}), 404, &[][..]),
        (json!({"model_name": "../iris", "input_data": [[1]]}), 404, &[]),
        (json!([1]), 422, &["#"]),
        (json!({"input_data": [[1]]}), 422, &["#/model_name"]),
        (json!({"model_name": 7, "input_data": [[1]]}), 422, &["#/model_name"]),
        (json!({"model_name": "iris"}), 422, &["#/input_data"]),
        (iris(json!([])), 422, &["#/input_data"]),
        (iris(json!([[]])), 422, &["#/input_data/0"]),
        (iris(json!([[1, 2, 3]])), 422, &["#/input_data/0"]),
        (
            iris(json!([IRIS, [1, 2, 3, 4, 5], [1, "NaN", null, 4]])),
            422,
            &["#/input_data/1", "#/input_data/2/1", "#/input_data/2/2"],
        ),
        (iris(json!(vec![IRIS; 1025])), 422, &["#/input_data"]),
        (iris(json!([[1e300, 1, 1, 1]])), 422, &["#/input_data/0/0"]),
        // Fits 32 bits, but the prediction does not.
        (iris(json!([IRIS, [3e38, -3e38, 3e38, 3e38]])), 422, &["#/input_data/1"]),
    ] {
        let shown = body.to_string();
        let found = problem(infer(&app, body).await, status).await;
        let errors = found["errors"].as_array().cloned().unwrap_or_default();
        let found: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers, "{}", &shown[..shown.len().min(200)]);
    }
    let raw = |media: &'static str, body: String| {
        app.request("POST", "/inference").header("content-type", media).body(body).send()
    };
    let nan = r#"{"model_name":"iris","input_data":[[NaN,1,1,1]]}"#;
    problem(raw("application/json", nan.to_owned()).await.unwrap(), 400).await;
    problem(raw("application/json", String::new()).await.unwrap(), 400).await;
    problem(raw("application/json", "[".repeat(100_000)).await.unwrap(), 400).await;
    problem(raw("text/plain", input().to_string()).await.unwrap(), 415).await;
    problem(raw("application/json", " ".repeat(5_000_000)).await.unwrap(), 413).await;
    let response = app.get("/inference").await;
    assert_eq!(header(&response, "allow"), "POST, OPTIONS");
    problem(response, 405).await;
    assert_eq!(infer(&app, input()).await.status(), 200);
}

#[tokio::test]
async fn a_full_queue_is_503_and_drains_when_models_recover() {
    let flags = ["--inference-workers", "1", "--inference-queue", "2"];
    let app = spawn_on(&Folder::shipped(), &flags).await;
    slow(&app).await;
    let running = infer_later(&app);
    // The first has left the queue for the worker once the second waits alone.
    let in_progress = r#"http_requests_in_progress{method="POST",route="/inference"}"#;
    eventually("one runs", || async {
        let metrics = app.metrics().await;
        metrics.get(in_progress) == Some(1.0) && metrics.get("inference_queue_depth") == Some(0.0)
    })
    .await;
    // A request is in progress shortly before it is queued; a later one cannot overtake it.
    let waiting = [infer_later(&app), infer_later(&app)];
    depth_becomes(&app, 2.0).await;
    let response = infer(&app, input()).await;
    assert_eq!(header(&response, "retry-after"), "1");
    problem(response, 503).await;

    app.lift_fault("slow").await;
    assert_eq!(running.await.unwrap(), (200, false));
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), (200, false));
    }
    depth_becomes(&app, 0.0).await;
    assert_eq!(infer(&app, input()).await.status(), 200);
    assert_eq!(app.metrics().await.requests("POST", "/inference", 503), 1.0);
}

#[tokio::test]
async fn a_missed_deadline_is_504_in_the_queue_and_in_the_run() {
    let flags = ["--inference-workers", "1", "--inference-deadline", "300ms"];
    let app = spawn_on(&Folder::shipped(), &flags).await;
    slow(&app).await;
    let both = [infer_later(&app), infer_later(&app)];
    for late in both {
        assert_eq!(late.await.unwrap().0, 504);
    }
    depth_becomes(&app, 0.0).await;
    // The run is counted with its time, although no client got the response.
    let sum = r#"inference_duration_seconds_sum{model="iris"}"#;
    eventually("the run is counted", || async { app.metrics().await.get(sum).is_some_and(|sum| sum > 0.2) })
        .await;
    let body = problem(infer(&app, input()).await, 504).await;
    assert_eq!(body["title"], "Gateway Timeout");
    assert_eq!(app.metrics().await.get(r#"api_errors_total{error_type="deadline_exceeded"}"#), Some(3.0));
    // A busy machine may let the deadline pass in the queue, where no fault has acted yet.
    eventually("the fault is named", || async {
        infer(&app, input()).await.headers().get("x-fault-injected").is_some_and(|id| id == "slow")
    })
    .await;
    app.lift_fault("slow").await;
    // The worker is free again; a busy machine may still need a second try within so short a deadline.
    eventually("it serves again", || async { infer(&app, input()).await.status() == 200 }).await;
}

#[tokio::test]
async fn a_disconnected_client_leaves_the_queue() {
    let flags = ["--inference-workers", "1", "--inference-deadline", "10m"];
    let app = spawn_on(&Folder::shipped(), &flags).await;
    slow(&app).await;
    let body = input().to_string();
    let connect = || {
        let mut socket = TcpStream::connect(app.base.trim_start_matches("http://")).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        let head = "POST /inference HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length:";
        socket.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        socket
    };
    let sockets = [connect(), connect(), connect()];
    depth_becomes(&app, 2.0).await;
    drop(sockets);
    depth_becomes(&app, 0.0).await;
    eventually("the disconnects are counted", || async {
        app.metrics().await.requests("POST", "/inference", 499) == 3.0
    })
    .await;
    app.lift_fault("slow").await;
    assert_eq!(infer(&app, input()).await.status(), 200);
}

#[tokio::test]
async fn faults_slow_and_fail_the_models_and_mark_the_responses() {
    let app = spawn_on(&Folder::shipped(), &[]).await;
    app.put_fault("broken", json!({"model": {"fail": true}, "ttl": "10m"})).await;
    let response = infer(&app, input()).await;
    assert_eq!(header(&response, "x-fault-injected"), "broken");
    problem(response, 500).await;
    app.lift_fault("broken").await;

    app.put_fault("late", json!({"model": {"delay": "50ms"}, "ttl": "10m"})).await;
    let response = infer(&app, input()).await;
    assert_eq!(header(&response, "x-fault-injected"), "late");
    assert_eq!(response.status(), 200);
    let sum = app.metrics().await.get(r#"inference_duration_seconds_sum{model="iris"}"#).unwrap();
    assert!(sum >= 0.05, "{sum}");
    app.put_fault("worse", json!({"model": {"fail": true}, "ttl": "10m"})).await;
    let response = infer(&app, input()).await;
    assert_eq!(header(&response, "x-fault-injected"), "late, worse");
    problem(response, 500).await;
    app.lift_fault("worse").await;
    app.lift_fault("late").await;
    let metrics = app.metrics().await;
    for (fault, responses) in [("broken", 1.0), ("late", 2.0), ("worse", 1.0)] {
        let series = format!("faults_injected_total{{fault=\"{fault}\",kind=\"model\"}}");
        assert_eq!(metrics.get(&series), Some(responses), "{fault}");
    }
    assert!(!infer(&app, input()).await.headers().contains_key("x-fault-injected"));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_slow_models() {
    let flags = ["--inference-workers", "1", "--shutdown-timeout", "1s"];
    let mut app = spawn_on(&Folder::shipped(), &flags).await;
    slow(&app).await;
    let waiting = [infer_later(&app), infer_later(&app)];
    depth_becomes(&app, 1.0).await;
    app.stop.take().unwrap().send(()).unwrap();
    let served = tokio::time::timeout(PATIENCE, app.served).await;
    served.expect("it ends in time").unwrap().unwrap();
    for waiting in waiting {
        waiting.abort();
    }
}
