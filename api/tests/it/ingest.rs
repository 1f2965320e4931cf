//! Readings: checked one by one, committed before the response, read back.

use crate::{
    backend::Backend,
    helpers::{Metrics, TestApp, eventually, header, problem, spawn_app},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

fn reading(device: &str, stream: &str, timestamp: i64, value: f64) -> Value {
    json!({"device": device, "stream": stream, "timestamp": timestamp, "value": value})
}

async fn ingest(app: &TestApp, readings: Value) -> reqwest::Response {
    app.send_json("POST", "/api/ingest", json!({"readings": readings})).await
}

async fn read(app: &TestApp, query: &str) -> Vec<Value> {
    let response = app.get(&format!("/api/readings?{query}")).await;
    assert_eq!(response.status(), 200, "{query}");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["count"], body["readings"].as_array().unwrap().len());
    body["readings"].as_array().unwrap().clone()
}

fn records(metrics: &Metrics, stream: &str, outcome: &str) -> f64 {
    metrics.get(&format!("pipeline_records_total{{outcome=\"{outcome}\",stream=\"{stream}\"}}")).unwrap()
}

async fn valid_readings_are_accepted_and_invalid_ones_explained(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    let good = [
        reading("d1", "heart_rate", 1_790_000_000, 61.0),
        reading("d1", "hrv_rmssd", 1_790_000_000, 212.5),
        reading("d1", "spo2", 1_790_000_000, 97.1),
        reading("d1", "steps", 1_790_000_060, 42.0),
    ];
    let batch = json!([
        good[0],
        good[1],
        reading("d1", "heart_rate", 1_790_000_000, 400.0),
        good[2],
        reading("d1", "glucose", 1_790_000_000, 5.0),
        good[3],
    ]);
    let response = ingest(&app, batch).await;
    assert_eq!(response.status(), 202);
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        body,
        json!({"accepted": 4, "rejected": [
            {"index": 2, "pointer": "#/readings/2/value",
             "detail": "must be a number from 20 to 250 (beats per minute)"},
            {"index": 4, "pointer": "#/readings/4/stream",
             "detail": "must be one of heart_rate, hrv_rmssd, steps, spo2"},
        ]})
    );
    assert_eq!(read(&app, "").await, good, "in the order device, stream, time");

    let metrics = app.custom_metrics().await;
    for stream in ["heart_rate", "hrv_rmssd", "steps", "spo2"] {
        assert_eq!(records(&metrics, stream, "accepted"), 1.0, "{stream}");
        let series = format!("pipeline_last_success_timestamp_seconds{{stream=\"{stream}\"}}");
        let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
            - metrics.get(&series).unwrap();
        assert!((0.0..60.0).contains(&age), "{stream} {age}");
    }
    assert_eq!(records(&metrics, "heart_rate", "rejected"), 1.0);
    assert_eq!(records(&metrics, "unknown", "rejected"), 1.0);
    assert_eq!(metrics.get("pipeline_hrv_rmssd_ms_sum"), Some(212.5));
    assert_eq!(metrics.get("pipeline_hrv_rmssd_ms_count"), Some(1.0));
    assert_eq!(metrics.get("pipeline_hrv_rmssd_ms_bucket{le=\"200\"}"), Some(0.0));
    assert_eq!(metrics.get("pipeline_hrv_rmssd_ms_bucket{le=\"250\"}"), Some(1.0));
    let public = app.get("/metrics").await.text().await.unwrap();
    assert!(!public.contains("pipeline_"), "no series on both listeners");
}

async fn the_last_reading_of_a_second_is_kept(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    let at = |value| reading("d1", "heart_rate", 1_790_000_000, value);
    assert_eq!(ingest(&app, json!([at(60.0), at(61.0)])).await.status(), 202);
    assert_eq!(read(&app, "").await, [at(61.0)]);
    assert_eq!(ingest(&app, json!([at(62.5)])).await.status(), 202);
    assert_eq!(read(&app, "").await, [at(62.5)]);
}

async fn readings_are_filtered_and_paged(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    let mut all = Vec::new();
    for device in ["A", "a", "b-1"] {
        for stream in ["heart_rate", "spo2"] {
            all.extend((0..4).map(|i| reading(device, stream, 1_790_000_000 + i, 60.0 + i as f64)));
        }
    }
    let mut shuffled = all.clone();
    shuffled.reverse();
    assert_eq!(ingest(&app, json!(shuffled)).await.status(), 202);
    assert_eq!(read(&app, "").await, all);
    assert_eq!(read(&app, "device=a").await, all[8..16]);
    assert_eq!(read(&app, "device=a&stream=spo2").await, all[12..16]);
    assert_eq!(read(&app, "device=a&stream=spo2&from=1790000001&to=1790000002").await, all[13..15]);
    assert_eq!(read(&app, "device=nobody").await, [] as [Value; 0]);
    assert_eq!(read(&app, "from=1790000003&stream=spo2").await.len(), 3);

    for query in ["", "stream=spo2&", "device=b-1&from=1790000001&"] {
        let complete = read(&app, query).await;
        let (mut path, mut paged) = (format!("/api/readings?{query}limit=5"), Vec::new());
        loop {
            let response = app.get(&path).await;
            let next = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
            let page: Value = response.json().await.unwrap();
            paged.extend(page["readings"].as_array().unwrap().clone());
            let Some(next) = next else { break };
            path = next.strip_suffix(">; rel=\"next\"").unwrap()[1..].to_owned();
        }
        assert_eq!(paged, complete, "{query}");
    }
    for (query, pointer) in [
        ("device=a%20b", "#/device"),
        ("stream=pulse", "#/stream"),
        ("from=yesterday", "#/from"),
        ("to=-1", "#/to"),
        ("limit=0", "#/limit"),
        ("limit=1001", "#/limit"),
        ("after=d1", "#/after"),
        ("after=d1,spo2,x", "#/after"),
    ] {
        let refused = problem(app.get(&format!("/api/readings?{query}")).await, 422).await;
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{query}");
    }
}

async fn stores_a_full_batch_and_many_concurrent_ones(backend: Backend) {
    let (app, database) = backend.spawn().await;
    let full: Vec<Value> =
        (0..1000).map(|i| reading("device-with-a-name", "hrv_rmssd", 1_790_000_000 + i, 40.25)).collect();
    let response = ingest(&app, json!(full)).await;
    assert_eq!(response.status(), 202);
    assert_eq!(response.json::<Value>().await.unwrap(), json!({"accepted": 1000, "rejected": []}));
    let responses = join_all((0..100).map(|i| {
        let readings: Vec<Value> =
            (0..10).map(|j| reading(&format!("d{i}"), "steps", 1_790_000_000 + j, f64::from(i))).collect();
        let app = &app;
        async move { ingest(app, json!(readings)).await.status().as_u16() }
    }))
    .await;
    assert_eq!(responses, [202; 100]);
    assert_eq!(database.number("SELECT count(*) FROM readings").await, 2000);
}

async fn a_paused_pipeline_fills_up_responds_503_and_loses_nothing(backend: Backend) {
    let database = backend.database().await;
    let app = database.spawn(&["--ingest-queue", "1000"]).await;
    app.pause(true).await;
    let batch = |device: &str| {
        let readings: Vec<Value> =
            (0..250).map(|i| reading(device, "spo2", 1_790_000_000 + i, 97.0)).collect();
        json!({"readings": readings})
    };
    let waiting: Vec<_> = (0..4)
        .map(|i| tokio::spawn(app.request("POST", "/api/ingest").json(&batch(&format!("d{i}"))).send()))
        .collect();
    eventually("the queue is full", || async {
        app.custom_metrics().await.get("pipeline_queue_depth") == Some(1000.0)
    })
    .await;
    let refused = app.send_json("POST", "/api/ingest", batch("late")).await;
    assert_eq!(header(&refused, "retry-after"), "1");
    problem(refused, 503).await;
    assert_eq!(
        app.send("POST", "/api/users?name=A&email=a@example.com").await.status(),
        201,
        "users are still served"
    );
    let metrics = app.custom_metrics().await;
    assert!(metrics.get("pipeline_queue_oldest_age_seconds").unwrap() > 0.0);
    assert_eq!(records(&metrics, "spo2", "refused"), 250.0);
    assert_eq!(records(&metrics, "spo2", "accepted"), 0.0);
    assert_eq!(database.number("SELECT count(*) FROM readings").await, 0);

    app.pause(false).await;
    for response in waiting {
        assert_eq!(response.await.unwrap().unwrap().status(), 202);
    }
    assert_eq!(database.number("SELECT count(*) FROM readings").await, 1000);
    let metrics = app.custom_metrics().await;
    assert_eq!(metrics.get("pipeline_queue_depth"), Some(0.0));
    assert_eq!(metrics.get("pipeline_queue_oldest_age_seconds"), Some(0.0));
    assert_eq!(records(&metrics, "spo2", "accepted"), 1000.0);
}

async fn a_shutdown_flushes_the_queue(backend: Backend) {
    let (app, database) = backend.spawn().await;
    app.pause(true).await;
    let body = json!({"readings": [reading("d1", "spo2", 1_790_000_000, 97.0)]});
    let waiting = tokio::spawn(app.request("POST", "/api/ingest").json(&body).send());
    eventually("it waits", || async { app.custom_metrics().await.get("pipeline_queue_depth") == Some(1.0) })
        .await;
    app.shut_down().await;
    assert_eq!(waiting.await.unwrap().unwrap().status(), 202);
    assert_eq!(database.number("SELECT count(*) FROM readings").await, 1);
}

#[tokio::test]
async fn rejects_what_is_not_a_batch() {
    let app = spawn_app().await;
    let all_bad = problem(ingest(&app, json!([{}, 7])).await, 422).await;
    assert_eq!((&all_bad["accepted"], all_bad["rejected"].as_array().unwrap().len()), (&json!(0), 2));
    assert_eq!(all_bad["errors"][0]["pointer"], "#/readings/0/device");
    assert_eq!(all_bad["rejected"][1]["index"], 1);
    assert_eq!(records(&app.custom_metrics().await, "unknown", "rejected"), 2.0);
    for (body, pointer) in [
        (json!({}), "#/readings"),
        (json!([]), "#"),
        (json!({"readings": []}), "#/readings"),
        (json!({"readings": vec![0; 1001]}), "#/readings"),
    ] {
        let refused = problem(app.send_json("POST", "/api/ingest", body).await, 422).await;
        assert_eq!(refused["errors"][0]["pointer"], pointer);
    }
    let post = |kind: &str, body: String| {
        app.request("POST", "/api/ingest").header("content-type", kind).body(body).send()
    };
    problem(post("application/json", "{".into()).await.unwrap(), 400).await;
    problem(post("text/plain", "{}".into()).await.unwrap(), 415).await;
    problem(post("application/json", " ".repeat(600_000)).await.unwrap(), 413).await;
    let wrong = app.get("/api/ingest").await;
    assert_eq!(header(&wrong, "allow"), "POST, OPTIONS");
    problem(wrong, 405).await;
}

#[tokio::test]
async fn every_series_exists_from_the_start() {
    let metrics = spawn_app().await.custom_metrics().await;
    for stream in ["heart_rate", "hrv_rmssd", "steps", "spo2"] {
        for outcome in ["accepted", "rejected", "refused"] {
            assert_eq!(records(&metrics, stream, outcome), 0.0);
        }
    }
    assert_eq!(records(&metrics, "unknown", "rejected"), 0.0);
    assert_eq!(metrics.series("pipeline_records_total").count(), 13);
    assert_eq!(metrics.series("pipeline_last_success_timestamp_seconds").count(), 4);
    for series in ["pipeline_queue_depth", "pipeline_queue_oldest_age_seconds", "pipeline_hrv_rmssd_ms_count"]
    {
        assert_eq!(metrics.get(series), Some(0.0), "{series}");
    }
}

on_both!(
    valid_readings_are_accepted_and_invalid_ones_explained,
    the_last_reading_of_a_second_is_kept,
    readings_are_filtered_and_paged,
    stores_a_full_batch_and_many_concurrent_ones,
    a_paused_pipeline_fills_up_responds_503_and_loses_nothing,
    a_shutdown_flushes_the_queue,
);
