//! `Idempotency-Key` on predictions: only the response is written.

use crate::{
    backend::Backend,
    helpers::{eventually, header, problem},
    idempotency::keys::post,
    models::folder::{Folder, IRIS},
};
use serde_json::json;

async fn repeats_predictions(backend: Backend) {
    let (database, folder) = (backend.database().await, Folder::shipped());
    let models = folder.dir().to_str().unwrap();
    let app = database
        .spawn(&[
            "--models-dir",
            models,
            "--inference-deadline",
            "10m",
            "--inference-workers",
            "1",
            "--unload-models",
            "anyone",
        ])
        .await;
    let input = json!({"model_name": "iris", "input_data": [IRIS]});
    let first = post(&app, "/inference", "k", &input).await;
    assert_eq!(first.status(), 200);
    assert!(first.headers().get("idempotency-replayed").is_none());
    let body = first.text().await.unwrap();
    // Not even the model is needed any more.
    assert_eq!(app.send("DELETE", "/models/iris").await.status(), 204);
    assert_eq!(app.send("PUT", "/models/iris").await.status(), 201);
    let again = post(&app, "/inference", "k", &input).await;
    assert_eq!((again.status().as_u16(), header(&again, "idempotency-replayed")), (200, "true"));
    assert_eq!(header(&again, "content-type"), "application/json");
    assert_eq!(again.text().await.unwrap(), body);
    let runs = r#"inference_duration_seconds_count{model="iris"}"#;
    assert_eq!(app.metrics().await.get(runs), Some(1.0), "it ran once");

    let other = json!({"model_name": "iris", "input_data": [IRIS, IRIS]});
    problem(post(&app, "/inference", "k", &other).await, 422).await;
    let large = json!({"model_name": "digits", "input_data": vec![vec![7.3; 64]; 1024]});
    let refused = problem(post(&app, "/inference", "large", &large).await, 422).await;
    assert!(refused["detail"].as_str().unwrap().contains("too large to be stored"), "{refused}");
    problem(post(&app, "/inference", "bad\tkey", &input).await, 400).await;

    app.put_fault("slow", json!({"model": {"delay": "60s"}, "ttl": "10m"})).await;
    let running = tokio::spawn(app.request("POST", "/inference").json(&input).send());
    let in_progress = r#"http_requests_in_progress{method="POST",route="/inference"}"#;
    eventually("one runs", || async {
        let metrics = app.metrics().await;
        metrics.get(in_progress) == Some(1.0) && metrics.get("inference_queue_depth") == Some(0.0)
    })
    .await;
    let waiting =
        tokio::spawn(app.request("POST", "/inference").header("Idempotency-Key", "w").json(&input).send());
    eventually("one waits", || async { app.metrics().await.get("inference_queue_depth") == Some(1.0) }).await;
    problem(post(&app, "/inference", "w", &input).await, 409).await;
    app.lift_fault("slow").await;
    for response in [running, waiting] {
        assert_eq!(response.await.unwrap().unwrap().status(), 200);
    }
}

on_both!(repeats_predictions);
