//! SQLite in WAL mode: one writer, and readers that never wait for it.

mod direct;
mod snapshot;

use super::error::OpenError;
use direct::Direct;
use sqlx::{
    SqlitePool,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    future::ready,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Longest wait for a connection or a lock.
const WAIT_LIMIT: Duration = Duration::from_secs(2);
/// More readers than cores would only take turns.
const READERS: u32 = 4;

/// Maximum time a start waits for others that open or migrate the same file, and the pause between two attempts.
const START_LIMIT: Duration = Duration::from_secs(30);
const BETWEEN: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    pub(super) reader: SqlitePool,
    pub(super) writer: SqlitePool,
    /// The writer's connection is closed before the next write, and opened anew.
    distrusted: Arc<AtomicBool>,
    /// Reads of single rows, without the pool; `None` in memory, where every connection is a separate database.
    pub(super) direct: Option<Direct>,
}

impl Sqlite {
    pub(super) async fn open(url: &str) -> Result<Self, OpenError> {
        let explain = |error: &dyn std::fmt::Display| OpenError {
            value: url.to_owned(),
            reason: format!("cannot open the database ({error})"),
            remedy: "check that the folder exists, that this user may write there and that the file is a SQLite \
                     database, or set another file",
        };
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|error| explain(&error))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Every commit is on disk before its response; group commits keep that affordable.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(WAIT_LIMIT);
        let filename = options.get_filename().to_owned();
        let pool = |size: u32| SqlitePoolOptions::new().max_connections(size).acquire_timeout(WAIT_LIMIT);
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        // Each connection to an in-memory database is a separate database: keep exactly one, forever.
        let distrusted = Arc::new(AtomicBool::new(false));
        let writer_pool = if in_memory {
            pool(1).idle_timeout(None).max_lifetime(None)
        } else {
            let distrusted = distrusted.clone();
            pool(1).before_acquire(move |_, _| Box::pin(ready(Ok(!distrusted.swap(false, Ordering::AcqRel)))))
        };
        let writer = up_to_date(writer_pool, &options).await.map_err(|error| explain(&error))?;
        let reader = if in_memory { writer.clone() } else { pool(READERS).connect_lazy_with(options) };
        // Parameters of the URL override the defaults.
        let plain = !in_memory && !url.contains('?');
        let direct = plain.then(|| Direct::new(&filename));
        Ok(Self { reader, writer, distrusted, direct })
    }

    /// After an error SQLite may have ended a transaction that sqlx counts as open, and the connection would fail for
    /// ever.
    pub(super) fn distrust_writer(&self) {
        self.distrusted.store(true, Ordering::Release);
    }

    /// Waits for running calls and closes the connections.
    pub(super) async fn close(&self) {
        if let Some(direct) = &self.direct {
            direct.close();
        }
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// A writer on a migrated file. SQLite returns "busy" at once, without the configured wait, when a connection requests
/// WAL mode while another does; so a start that finds the file busy retries.
async fn up_to_date(
    pool: SqlitePoolOptions,
    options: &SqliteConnectOptions,
) -> Result<SqlitePool, MigrateError> {
    let began = Instant::now();
    loop {
        let opened = async {
            let writer = pool.clone().connect_with(options.clone()).await?;
            super::migrations::sqlite(&writer).await?;
            Ok(writer)
        };
        match opened.await {
            Err(error) if is_busy(&error) && began.elapsed() < START_LIMIT => {
                tokio::time::sleep(BETWEEN).await
            }
            outcome => return outcome,
        }
    }
}

/// Whether another connection was in the way, or the disk was too slow.
fn is_busy(error: &MigrateError) -> bool {
    let (MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) = error else {
        return false;
    };
    matches!(cause, sqlx::Error::PoolTimedOut)
        || cause
            .as_database_error()
            .and_then(|cause| cause.code())
            .is_some_and(|code| super::error::is_locked(&code))
}
