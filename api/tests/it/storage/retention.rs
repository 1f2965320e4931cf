//! Readings are deleted some time after they arrived, whatever their timestamps.

use crate::{backend::Backend, helpers::eventually};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

async fn expired_readings_are_deleted(backend: Backend) {
    let database = backend.database().await;
    let app = database.spawn(&["--readings-retention", "1h"]).await;
    let send = async |app: &crate::helpers::TestApp, device: &str, count: i64| {
        // Old timestamps: only the time of arrival counts.
        let readings: Vec<Value> = (0..count)
            .map(|i| json!({"device": device, "stream": "steps", "timestamp": 1_000_000_000 + i, "value": i}))
            .collect();
        assert_eq!(app.send_json("POST", "/api/ingest", json!({"readings": readings})).await.status(), 202);
    };
    // More than are deleted at once.
    for device in ["old-1", "old-2", "old-3"] {
        send(&app, device, 900).await;
    }
    send(&app, "renewed", 3).await;
    database.execute("UPDATE readings SET stored_at = stored_at - 3601").await;
    send(&app, "renewed", 3).await;
    send(&app, "new", 5).await;
    app.shut_down().await;

    let all = "SELECT count(*) FROM readings";
    let kept = database.spawn(&["--readings-retention", "forever"]).await;
    assert_eq!(kept.get("/api/readings?device=old-1").await.json::<Value>().await.unwrap()["count"], 100);
    kept.shut_down().await;
    assert_eq!(database.number(all).await, 2708);

    let _app = database.spawn(&["--readings-retention", "1h"]).await;
    eventually("the old ones are gone", || async { database.number(all).await <= 8 }).await;
    assert_eq!(database.number("SELECT count(*) FROM readings WHERE device = 'renewed'").await, 3);
    assert_eq!(database.number("SELECT count(*) FROM readings WHERE device = 'new'").await, 5);
}

async fn the_retention_of_older_readings_starts_with_the_migration(backend: Backend) {
    let (app, database) = backend.spawn().await;
    app.shut_down().await;
    // The state left by a gateway of that time.
    for statement in [
        "DROP INDEX readings_stored_at",
        "ALTER TABLE readings DROP COLUMN stored_at",
        "DELETE FROM _sqlx_migrations WHERE version = 4",
        "INSERT INTO readings (device, stream, timestamp, value) VALUES ('d1', 'spo2', 1000000000, 97)",
    ] {
        database.execute(statement).await;
    }
    let app = database.spawn(&["--readings-retention", "1h"]).await;
    let kept = "SELECT stored_at FROM readings";
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    assert!((now - 60..=now).contains(&database.number(kept).await));
    let read: Value = app.get("/api/readings?device=d1").await.json().await.unwrap();
    assert_eq!((&read["count"], &read["readings"][0]["value"]), (&json!(1), &json!(97.0)));
}

on_both!(expired_readings_are_deleted, the_retention_of_older_readings_starts_with_the_migration,);
