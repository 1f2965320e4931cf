//! `Idempotency-Key`: a repeated request happens once.

use crate::{
    backend::Backend,
    helpers::{TestApp, eventually, header, problem, roomy, spawn_with},
};
use futures_util::future::join_all;
use reqwest::Response;
use serde_json::{Value, json};

pub async fn post(app: &TestApp, path: &str, key: &str, body: &Value) -> Response {
    app.request("POST", path).header("Idempotency-Key", key).json(body).send().await.unwrap()
}

fn ada() -> Value {
    json!({"name": "Ada", "email": "ada@example.com"})
}

fn reading(value: f64) -> Value {
    json!({"readings": [{"device": "d1", "stream": "spo2", "timestamp": 1_790_000_000, "value": value}]})
}

async fn repeats_the_first_response(backend: Backend) {
    let (app, database) = backend.spawn().await;
    let first = post(&app, "/api/users", "k1", &ada()).await;
    assert_eq!(first.status(), 201);
    assert!(first.headers().get("idempotency-replayed").is_none());
    let (location, tag) = (header(&first, "location").to_owned(), header(&first, "etag").to_owned());
    let body = first.text().await.unwrap();
    // A restarted gateway, or another one, knows it too.
    app.shut_down().await;
    let app = database.spawn(&[]).await;
    for _ in 0..2 {
        let again = post(&app, "/api/users", "k1", &ada()).await;
        assert_eq!(again.status(), 201);
        assert_eq!(header(&again, "idempotency-replayed"), "true");
        assert_eq!(header(&again, "content-type"), "application/json");
        assert_eq!((header(&again, "location"), header(&again, "etag")), (&*location, &*tag));
        assert_eq!(again.text().await.unwrap(), body);
    }
    assert_eq!(database.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(app.metrics().await.get("users_registered_total"), Some(0.0), "none by this process");

    let other = json!({"name": "Bo", "email": "bo@example.com"});
    let refused = problem(post(&app, "/api/users", "k1", &other).await, 422).await;
    assert!(refused["detail"].as_str().unwrap().contains("another request"), "{refused}");
    let by_query = app.request("POST", "/api/users?name=Bo&email=bo@example.com");
    problem(by_query.header("Idempotency-Key", "k1").send().await.unwrap(), 422).await;
    assert_eq!(post(&app, "/api/users", "k2", &other).await.status(), 201);
    let elsewhere = post(&app, "/api/ingest", "k1", &reading(97.0)).await;
    assert_eq!(elsewhere.status(), 202, "the same key on another route is another key");
    let other_caller =
        app.request("POST", "/api/users").header("Idempotency-Key", "k1").header("X-API-Key", "theirs");
    problem(other_caller.json(&ada()).send().await.unwrap(), 409).await;
}

async fn repeats_a_refusal_by_the_database(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    assert_eq!(app.send_json("POST", "/api/users", ada()).await.status(), 201);
    problem(post(&app, "/api/users", "k", &ada()).await, 409).await;
    assert_eq!(app.send("DELETE", "/api/users/1").await.status(), 204);
    let again = post(&app, "/api/users", "k", &ada()).await;
    assert_eq!(header(&again, "idempotency-replayed"), "true");
    problem(again, 409).await;
}

async fn bad_keys_and_bad_bodies_store_nothing(backend: Backend) {
    let (app, database) = backend.spawn().await;
    for key in [" ", "tab\tinside", &"k".repeat(256)] {
        problem(post(&app, "/api/users", key, &ada()).await, 400).await;
        problem(post(&app, "/api/ingest", key, &reading(97.0)).await, 400).await;
    }
    problem(post(&app, "/api/users", "k", &json!({"name": "Ada"})).await, 422).await;
    assert_eq!(database.number("SELECT count(*) FROM idempotency_keys").await, 0);
    assert_eq!(post(&app, "/api/users", "k", &ada()).await.status(), 201, "the key is still free");
}

async fn of_concurrent_requests_one_is_done(backend: Backend) {
    let (app, database) = backend.spawn().await;
    let other = database.spawn(&[]).await;
    let statuses: Vec<u16> = join_all((0..60).map(|i| {
        let app = if i % 2 == 0 { &app } else { &other };
        async move { post(app, "/api/users", "same", &ada()).await.status().as_u16() }
    }))
    .await;
    assert!(statuses.contains(&201), "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    assert_eq!(post(&app, "/api/users", "same", &ada()).await.status(), 201);
    assert_eq!(database.number("SELECT count(*) FROM users").await, 1);
    let registered = |metrics: crate::helpers::Metrics| metrics.get("users_registered_total").unwrap();
    assert_eq!(registered(app.metrics().await) + registered(other.metrics().await), 1.0);
}

async fn in_flight_is_409_and_ingest_is_repeated(backend: Backend) {
    let (app, database) = backend.spawn().await;
    app.pause(true).await;
    let first = {
        let send =
            app.request("POST", "/api/ingest").header("Idempotency-Key", "k").json(&reading(97.0)).send();
        tokio::spawn(send)
    };
    let depth = || async { app.custom_metrics().await.get("pipeline_queue_depth") == Some(1.0) };
    eventually("the reading is in the queue", depth).await;
    let busy = post(&app, "/api/ingest", "k", &reading(97.0)).await;
    assert_eq!(header(&busy, "retry-after"), "1");
    problem(busy, 409).await;
    app.pause(false).await;
    let first = first.await.unwrap().unwrap();
    assert_eq!(first.status(), 202);
    let body = first.text().await.unwrap();
    let again = post(&app, "/api/ingest", "k", &reading(97.0)).await;
    assert_eq!((again.status().as_u16(), header(&again, "idempotency-replayed")), (202, "true"));
    assert_eq!(again.text().await.unwrap(), body);
    problem(post(&app, "/api/ingest", "k", &reading(98.0)).await, 422).await;
    assert_eq!(database.number("SELECT count(*) FROM readings").await, 1);
    let accepted = r#"pipeline_records_total{outcome="accepted",stream="spo2"}"#;
    assert_eq!(app.custom_metrics().await.get(accepted), Some(1.0));
}

async fn responses_are_stored_for_a_day(backend: Backend) {
    let (app, database) = backend.spawn().await;
    assert_eq!(post(&app, "/api/users", "k", &ada()).await.status(), 201);
    let left = "SELECT min(expires_at) FROM idempotency_keys";
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let kept = database.number(left).await - now;
    assert!((86_390..=86_400).contains(&kept), "{kept}");
    // An expired key is free at once, and deleted soon.
    let expire = "UPDATE idempotency_keys SET expires_at = 1 RETURNING expires_at";
    assert_eq!(database.number(expire).await, 1);
    problem(post(&app, "/api/users", "k", &ada()).await, 409).await;
    assert!(database.number(left).await > now, "claimed again");
    assert_eq!(database.number(expire).await, 1);
    app.shut_down().await;
    let _app = database.spawn(&[]).await;
    let swept = || async { database.number("SELECT count(*) FROM idempotency_keys").await == 0 };
    eventually("the response is deleted", swept).await;
}

on_both!(
    repeats_the_first_response,
    repeats_a_refusal_by_the_database,
    bad_keys_and_bad_bodies_store_nothing,
    of_concurrent_requests_one_is_done,
    in_flight_is_409_and_ingest_is_repeated,
    responses_are_stored_for_a_day,
);

#[tokio::test]
async fn the_same_key_of_another_address_is_another_key() {
    let app = spawn_with(&roomy(), &["--trusted-proxies", "127.0.0.0/8"]).await;
    let from = async |address: &str, email: &str| {
        let user = json!({"name": "Ada", "email": email});
        let request = app.request("POST", "/api/users").header("Idempotency-Key", "k");
        request.header("X-Forwarded-For", address).json(&user).send().await.unwrap()
    };
    for (address, email) in [("198.51.100.1", "a@example.com"), ("198.51.100.2", "b@example.com")] {
        assert_eq!(from(address, email).await.status(), 201, "{address}");
        assert_eq!(header(&from(address, email).await, "idempotency-replayed"), "true", "{address}");
    }
    problem(from("198.51.100.1", "b@example.com").await, 422).await;
}
