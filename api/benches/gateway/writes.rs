//! Durable writes of the gateway through HTTP, compared to the same INSERT through sqlx alone, in one transaction each,
//! with `synchronous=FULL`.

use crate::{
    Args,
    machine::Machine,
    server::{CONNECTIONS, Server, Settings},
    spread::{Spread, count},
    table::Table,
};
use anyhow::ensure;
use serde_json::json;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

pub async fn measure(args: &Args, machine: &Machine, dir: &Path, table: &mut Table) -> anyhow::Result<()> {
    let database = dir.join("direct.db");
    // A gateway creates the file, so that both write into the same table with the same indexes.
    let maker = Settings::roomy("", &database);
    Server::gateway("maker", &maker, machine, dir).await?.stop().await;
    let options = SqliteConnectOptions::new()
        .filename(&database)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;

    let database = dir.join("writes.db");
    let settings = Settings::roomy("", &database);
    let server = Server::gateway("writes", &settings, machine, dir).await?;
    let client = reqwest::Client::new();
    let url = format!("{}/api/users", server.base());

    let insert = {
        let pool = pool.clone();
        move |email| insert(pool.clone(), email)
    };
    let create = move |email| create(client.clone(), url.clone(), email);
    let span = Duration::from_secs(args.seconds.into());
    let (mut alone, mut grouped) = (Vec::new(), Vec::new());
    for round in 1..=args.rounds {
        alone.push(rate(span, insert.clone()).await?);
        grouped.push(rate(span, create.clone()).await?);
        let (alone, grouped) = (alone[alone.len() - 1], grouped[grouped.len() - 1]);
        eprintln!("round {round}: {} alone, {} by the gateway", count(alone), count(grouped));
    }
    let ratio = Spread::of(grouped.iter().zip(&alone).map(|(grouped, alone)| grouped / alone));
    let per_second = |values: Vec<f64>| {
        let Spread { median, min, max } = Spread::of(values);
        format!("{}/s ({}–{})", count(median), count(min), count(max))
    };
    let what = format!("Durable writes, {CONNECTIONS} writers: one transaction each, no HTTP");
    table.reference(&what, per_second(alone));
    let measured = format!("{}; {}×", per_second(grouped), ratio.text(1));
    table.reference("the same through POST `/api/users`, with the response after the commit", measured);
    pool.close().await;
    server.stop().await;
    Ok(())
}

/// Writes per second of many writers, each waiting for its response before the next. `write` gets a new address each
/// time.
async fn rate<W, F>(span: Duration, write: W) -> anyhow::Result<f64>
where
    W: Fn(String) -> F + Clone + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    static ADDRESSES: AtomicU64 = AtomicU64::new(0);
    let started = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let write = write.clone();
        writers.spawn(async move {
            let mut done = 0_u64;
            while started.elapsed() < span {
                let number = ADDRESSES.fetch_add(1, Ordering::Relaxed);
                write(format!("user-{number}@example.com")).await?;
                done += 1;
            }
            anyhow::Ok(done)
        });
    }
    let mut done = 0;
    while let Some(finished) = writers.join_next().await {
        done += finished??;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}

async fn insert(pool: SqlitePool, email: String) -> anyhow::Result<()> {
    let insert = sqlx::query("INSERT INTO users (name, email) VALUES (?, ?)");
    insert.bind("Ada Lovelace").bind(email).execute(&pool).await?;
    Ok(())
}

async fn create(client: reqwest::Client, url: String, email: String) -> anyhow::Result<()> {
    let response = client.post(url).json(&json!({"name": "Ada Lovelace", "email": email})).send().await?;
    let status = response.status();
    // Read to the end, or the connection could not be reused.
    let body = response.text().await?;
    ensure!(status == 201, "status {status}: {body}");
    Ok(())
}
