//! What is kept of responses is bounded.

use super::keys::post;
use crate::{backend::Backend, helpers::problem};
use serde_json::{Value, json};

/// A batch whose response lists many wrong readings.
fn batch(wrong: usize) -> Value {
    let mut readings = vec![json!({}); wrong];
    readings.push(json!({"device": "d1", "stream": "spo2", "timestamp": 1_790_000_000, "value": 97}));
    json!({"readings": readings})
}

async fn a_large_response_is_not_stored_and_nothing_done(backend: Backend) {
    let (app, database) = backend.spawn().await;
    let refused = problem(post(&app, "/api/ingest", "k", &batch(999)).await, 422).await;
    assert!(refused["detail"].as_str().unwrap().contains("omit Idempotency-Key"), "{refused}");
    assert_eq!(database.number("SELECT count(*) FROM readings").await, 0);
    assert_eq!(database.number("SELECT count(*) FROM idempotency_keys").await, 0);
    assert_eq!(app.send_json("POST", "/api/ingest", batch(999)).await.status(), 202, "without a key");
}

async fn another_large_response_takes_the_place_of_the_oldest(backend: Backend) {
    let (app, database) = backend.spawn().await;
    // As many as are kept: the later, the later they expire.
    let fill = match backend {
        Backend::Sqlite => {
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4095) \
             INSERT INTO idempotency_keys SELECT CAST(printf('%08d', i) AS BLOB), x'00', 202, '[]', \
             zeroblob(3000), unixepoch() + 3600 + i FROM n"
        }
        Backend::Postgres => {
            "INSERT INTO idempotency_keys SELECT convert_to(lpad(i::text, 8, '0'), 'UTF8'), '\\x00', 202, '[]', \
             decode(repeat('00', 3000), 'hex'), extract(epoch FROM now())::bigint + 3600 + i \
             FROM generate_series(0, 4095) i"
        }
    };
    database.execute(fill).await;
    let large = "SELECT count(*) FROM idempotency_keys WHERE length(body) > 2048";
    assert_eq!(database.number(large).await, 4096);
    for key in ["a", "b", "c"] {
        assert_eq!(post(&app, "/api/ingest", key, &batch(100)).await.status(), 202);
    }
    assert_eq!(database.number(large).await, 4096);
    let first = "SELECT min(expires_at) FROM idempotency_keys";
    let oldest = database.number(first).await;
    assert_eq!(post(&app, "/api/ingest", "d", &batch(100)).await.status(), 202);
    assert_eq!(database.number(first).await, oldest + 1);
    let again = post(&app, "/api/ingest", "a", &batch(100)).await;
    assert_eq!(again.headers()["idempotency-replayed"], "true", "the new ones are kept");
    assert_eq!(post(&app, "/api/ingest", "small", &batch(0)).await.status(), 202);
    assert_eq!(database.number(large).await, 4096, "small ones take no place");
}

on_both!(
    a_large_response_is_not_stored_and_nothing_done,
    another_large_response_takes_the_place_of_the_oldest,
);
