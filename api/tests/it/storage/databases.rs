//! Both databases: group commits, several gateways, outages, secrets.

use crate::{
    backend::{Backend, Database},
    helpers::{binary, eventually, header, problem},
};
use api::{Config, Gateway};
use clap::Parser;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Durability, Postgres};

async fn a_conflict_fails_only_its_own_request(backend: Backend) {
    let (app, database) = backend.spawn().await;
    let taken = app.send("POST", "/api/users?name=First&email=taken@example.com").await;
    assert_eq!(taken.status(), 201);
    let mine = join_all((0..20).map(|i| {
        let app = &app;
        async move {
            let path = format!("/api/users?name=U&email=u{i}@example.com");
            app.send("POST", &path).await.json::<Value>().await.unwrap()["id"].as_i64().unwrap()
        }
    }))
    .await;
    // All at once, so that groups mix valid and conflicting writes: creations and changes, every third of them with an
    // address that is already in use.
    let responses = join_all((0..120_usize).map(|i| {
        let (app, mine) = (&app, &mine);
        async move {
            let email = if i % 3 == 0 { "Taken@Example.com".to_owned() } else { format!("n{i}@example.com") };
            let sent = if i % 2 == 0 {
                app.send("POST", &format!("/api/users?name=N&email={email}")).await
            } else {
                app.send("PUT", &format!("/api/users/{}?email={email}", mine[i % mine.len()])).await
            };
            (i, sent.status().as_u16())
        }
    }))
    .await;
    for (i, status) in responses {
        let expected = if i % 3 == 0 {
            409
        } else if i % 2 == 0 {
            201
        } else {
            200
        };
        assert_eq!(status, expected, "{i}");
    }
    assert_eq!(database.number("SELECT count(*) FROM users").await, 1 + 20 + 40);
    assert_eq!(database.number("SELECT count(*) FROM users WHERE email = 'taken@example.com'").await, 1);
}

async fn a_full_queue_is_503_and_every_acknowledged_write_exists(backend: Backend) {
    let database = backend.database().await;
    let app = database.spawn(&["--write-queue", "1"]).await;
    let responses = join_all((0..200).map(|i| {
        let app = &app;
        async move {
            let response = app.send("POST", &format!("/api/users?name=N&email=n{i}@example.com")).await;
            let status = response.status().as_u16();
            if status == 503 {
                assert_eq!(header(&response, "retry-after"), "1");
                problem(response, 503).await;
            }
            status
        }
    }))
    .await;
    let count = |status| responses.iter().filter(|response| **response == status).count() as i64;
    assert_eq!(count(201) + count(503), 200);
    assert!(count(503) > 0, "200 at once do not fit in a queue of one");
    assert_eq!(database.number("SELECT count(*) FROM users").await, count(201));
}

async fn several_gateways_start_at_once_on_an_empty_database(backend: Backend) {
    let database = backend.database().await;
    let config = Config::try_parse_from(["api", "--database-url", &database.url]).unwrap();
    let started = join_all((0..5).map(|_| Gateway::prepare(&config))).await;
    for gateway in started {
        assert!(gateway.is_ok(), "{}", gateway.err().unwrap());
    }
    assert_eq!(database.number("SELECT count(*) FROM _sqlx_migrations").await, 6);
}

on_both!(
    a_conflict_fails_only_its_own_request,
    a_full_queue_is_503_and_every_acknowledged_write_exists,
    several_gateways_start_at_once_on_an_empty_database,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_waits_for_a_locked_sqlite_file() {
    let database = Backend::Sqlite.database().await;
    let path = database.url.strip_prefix("sqlite://").unwrap();
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE; CREATE TABLE mine (id INTEGER)").unwrap();
    let config = Config::try_parse_from(["api", "--database-url", &database.url]).unwrap();
    let mut starting = Box::pin(Gateway::prepare(&config));
    // Longer than a single call waits for a lock.
    let early = tokio::time::timeout(Duration::from_secs(3), &mut starting).await;
    assert!(early.is_err(), "it neither fails nor starts while the file is locked");
    other.execute_batch("COMMIT").unwrap();
    let started = tokio::time::timeout(Duration::from_secs(20), starting).await.unwrap();
    assert!(started.is_ok(), "{}", started.err().unwrap());
    assert_eq!(database.number("SELECT count(*) FROM _sqlx_migrations").await, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unavailable_server_is_503_until_it_recovers() {
    let mut server = Postgres::start(Durability::None).unwrap();
    let database = Database::on(&server).await;
    let app = database.spawn(&[]).await;
    assert_eq!(app.send("POST", "/api/users?name=A&email=a@example.com").await.status(), 201);
    assert_eq!(app.health().await.0, 200);
    server.kill();
    for (method, path) in
        [("GET", "/api/users/1"), ("POST", "/api/users?name=B&email=b@example.com"), ("GET", "/api/readings")]
    {
        let response = app.send(method, path).await;
        assert_eq!(header(&response, "retry-after"), "1", "{method} {path}");
        problem(response, 503).await;
    }
    let health = problem(app.get("/health").await, 503).await;
    assert_eq!(health["components"], json!({"database": "unavailable", "redis": "not configured"}));
    assert_eq!(app.get("/livez").await.status(), 200);
    server.restart().unwrap();
    eventually("it serves again", || async { app.get("/api/users/1").await.status() == 200 }).await;
    assert_eq!(app.send("POST", "/api/users?name=B&email=b@example.com").await.status(), 201);
    let users: Value = app.get("/api/users").await.json().await.unwrap();
    assert_eq!(users["count"], json!(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_never_shown() {
    let database = Backend::Postgres.database().await;
    let wrong = database.url.replace("letmein", "s3cret-and-wrong");
    let nowhere = "postgres://ada:s3cret-and-wrong@127.0.0.1:1/app";
    let in_query = "postgres://ada@127.0.0.1:1/app?password=s3cret-and-wrong";
    let odd = "postgres://ada:s3cret-and-wrong@127.0.0.1:port/app";
    for (url, shown) in [
        (wrong.as_str(), "DATABASE_URL=postgres://firedrill:***@127.0.0.1:"),
        (nowhere, "DATABASE_URL=postgres://ada:***@127.0.0.1:1/app: "),
        (in_query, "DATABASE_URL=postgres://ada@127.0.0.1:1/app?password=***: "),
        (odd, "DATABASE_URL=postgres://…: "),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = binary(dir.path());
        command.args(["--listen", "127.0.0.1:0", "--log-level", "trace"]).env("DATABASE_URL", url);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(
            text.contains(shown) && text.contains("postgres://USER:PASSWORD@HOST:PORT/DATABASE"),
            "{text}"
        );
        assert!(!text.contains("s3cret"), "{text}");
    }
}
