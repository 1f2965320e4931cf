//! SQLite in WAL mode: one writer, and readers that never wait for it.

use super::OpenError;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{str::FromStr, time::Duration};

/// Longest anything waits for a connection or a lock.
const WAIT_LIMIT: Duration = Duration::from_secs(2);
/// More readers than cores only take turns.
const READERS: u32 = 4;

#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    pub(super) reader: SqlitePool,
    pub(super) writer: SqlitePool,
}

impl Sqlite {
    pub(super) async fn open(url: &str) -> Result<Self, OpenError> {
        let explain = |error: &dyn std::fmt::Display| OpenError {
            value: url.to_owned(),
            reason: format!("the database cannot be opened ({error})"),
            remedy: "check that the folder exists, that this user may write there and that the file is a SQLite \
                     database, or name another one",
        };
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|error| explain(&error))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Every commit is on the disk before it is answered; commits in groups pay for it.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(WAIT_LIMIT);
        let pool = |size: u32| SqlitePoolOptions::new().max_connections(size).acquire_timeout(WAIT_LIMIT);
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        // Each connection to an in-memory database is a database of its own: keep exactly one, for ever.
        let writer_pool = if in_memory { pool(1).idle_timeout(None).max_lifetime(None) } else { pool(1) };
        let writer = writer_pool.connect_with(options.clone()).await.map_err(|error| explain(&error))?;
        let reader = if in_memory { writer.clone() } else { pool(READERS).connect_lazy_with(options) };
        super::migrations::sqlite(&writer).await.map_err(|error| explain(&error))?;
        Ok(Self { reader, writer })
    }
}
