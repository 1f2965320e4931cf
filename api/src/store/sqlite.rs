//! SQLite in WAL mode: one writer, so writers queue here and not in `SQLITE_BUSY`, and readers that never wait for it.

use super::{Changes, OpenError, Outcome, StoreError, User};
use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{str::FromStr, time::Duration};

/// Longest a request waits for a connection or a lock before it is told 503.
const WAIT_LIMIT: Duration = Duration::from_secs(2);
/// More readers than cores only take turns.
const READERS: u32 = 4;

#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    reader: SqlitePool,
    writer: SqlitePool,
}

/// A row of `COLUMNS`.
type Row = (i64, String, String, String, String, i64);

fn user((id, name, email, created_at, updated_at, version): Row) -> User {
    User { id, name, email, created_at, updated_at, version }
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
            // With WAL this survives a killed process; only a power cut may lose the last commits.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(WAIT_LIMIT);
        let pool = |size: u32| SqlitePoolOptions::new().max_connections(size).acquire_timeout(WAIT_LIMIT);
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        // Each connection to an in-memory database is a database of its own: keep exactly one, for ever.
        let writer_pool = if in_memory { pool(1).idle_timeout(None).max_lifetime(None) } else { pool(1) };
        let writer = writer_pool.connect_with(options.clone()).await.map_err(|error| explain(&error))?;
        migrations().run(&writer).await.map_err(|error| explain(&error))?;
        let reader = if in_memory { writer.clone() } else { pool(READERS).connect_lazy_with(options) };
        Ok(Self { reader, writer })
    }

    pub(super) async fn list(&self, after: i64, limit: u32) -> Result<Vec<User>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, email, created_at, updated_at, version FROM users WHERE id > ? ORDER BY id LIMIT ?",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.reader)
        .await
        .map_err(translate)?;
        Ok(rows.into_iter().map(user).collect())
    }

    pub(super) async fn get(&self, id: i64) -> Result<Option<User>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT id, name, email, created_at, updated_at, version FROM users WHERE id = ?")
                .bind(id)
                .fetch_optional(&self.reader)
                .await
                .map_err(translate)?;
        Ok(row.map(user))
    }

    pub(super) async fn create(&self, name: &str, email: &str) -> Result<User, StoreError> {
        let row: Row = sqlx::query_as(
            "INSERT INTO users (name, email) VALUES (?, ?) \
             RETURNING id, name, email, created_at, updated_at, version",
        )
        .bind(name)
        .bind(email)
        .fetch_one(&self.writer)
        .await
        .map_err(translate)?;
        Ok(user(row))
    }

    pub(super) async fn update(
        &self,
        id: i64,
        changes: &Changes,
        expected: Option<i64>,
    ) -> Result<Outcome<User>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "UPDATE users SET name = coalesce(?1, name), email = coalesce(?2, email), version = version + 1, \
             updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') \
             WHERE id = ?3 AND (?4 IS NULL OR version = ?4) \
             RETURNING id, name, email, created_at, updated_at, version",
        )
        .bind(changes.name.as_deref())
        .bind(changes.email.as_deref())
        .bind(id)
        .bind(expected)
        .fetch_optional(&self.writer)
        .await
        .map_err(translate)?;
        match row {
            Some(row) => Ok(Outcome::Done(user(row))),
            None => self.why_not(id).await,
        }
    }

    pub(super) async fn delete(&self, id: i64, expected: Option<i64>) -> Result<Outcome<()>, StoreError> {
        let deleted = sqlx::query("DELETE FROM users WHERE id = ?1 AND (?2 IS NULL OR version = ?2)")
            .bind(id)
            .bind(expected)
            .execute(&self.writer)
            .await
            .map_err(translate)?;
        if deleted.rows_affected() == 1 { Ok(Outcome::Done(())) } else { self.why_not(id).await }
    }

    async fn why_not<T>(&self, id: i64) -> Result<Outcome<T>, StoreError> {
        Ok(if self.get(id).await?.is_some() { Outcome::Changed } else { Outcome::Missing })
    }

    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM users LIMIT 1").execute(&self.reader).await.map_err(translate)?;
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// The files in `migrations/`, built into the binary: the gateway needs no file beside it.
fn migrations() -> Migrator {
    let users = Migration::new(
        1,
        "users".into(),
        MigrationType::Simple,
        include_str!("../../migrations/0001_users.sql").into_sql_str(),
        false,
    );
    Migrator::with_migrations(vec![users])
}

fn translate(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(cause) if cause.is_unique_violation() => StoreError::EmailTaken,
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => StoreError::Away(error),
        // 5 busy, 6 locked: somebody else has the file for longer than the wait.
        sqlx::Error::Database(cause) if matches!(cause.code().as_deref(), Some("5" | "6")) => {
            StoreError::Away(error)
        }
        _ => StoreError::Failed(error),
    }
}
