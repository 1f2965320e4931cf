//! The common interface of both databases.

use super::{
    error::{OpenError, StoreError},
    postgres::Postgres,
    sqlite::Sqlite,
    url,
};
use sqlx::Transaction;
use std::time::Duration;

/// Time limit of a read, including the wait for a connection.
pub(super) const READ_LIMIT: Duration = Duration::from_secs(5);
/// Time limit for closing the connections.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// An open database.
#[derive(Debug, Clone)]
pub(super) enum Database {
    /// SQLite, a local file.
    Sqlite(Sqlite),
    /// PostgreSQL, a server.
    Postgres(Postgres),
}

/// A transaction that commits several writes together.
pub(super) enum Tx {
    /// SQLite's.
    Sqlite(Transaction<'static, sqlx::Sqlite>),
    /// PostgreSQL's.
    Postgres(Transaction<'static, sqlx::Postgres>),
}

/// Runs a statement in a transaction: `on!(tx, conn => conn.ping())`.
macro_rules! on {
    ($tx:expr, $connection:ident => $statement:expr) => {
        match $tx {
            $crate::store::database::Tx::Sqlite(tx) => {
                let mut $connection = $crate::store::statements::Statements(&mut **tx);
                $statement.await
            }
            $crate::store::database::Tx::Postgres(tx) => {
                let mut $connection = $crate::store::statements::Statements(&mut **tx);
                $statement.await
            }
        }
    };
}
pub(super) use on;

/// Runs a statement on a reading connection, within the limit: `read!(database, conn => conn.ping())`. The statement's
/// arguments must be owned, because on PostgreSQL it runs on the runtime of the connections.
macro_rules! read {
    ($database:expr, $connection:ident => $statement:expr) => {
        match $database {
            $crate::store::database::Database::Sqlite(sqlite) => {
                $crate::store::database::limited(async {
                    let mut connection = sqlite.reader.acquire().await?;
                    let mut $connection = $crate::store::statements::Statements(&mut *connection);
                    $statement.await
                })
                .await
            }
            $crate::store::database::Database::Postgres(postgres) => {
                let pool = postgres.reader.clone();
                let read = $crate::store::database::limited(async move {
                    let mut connection = pool.acquire().await?;
                    let mut $connection = $crate::store::statements::Statements(&mut *connection);
                    $statement.await
                });
                postgres
                    .runtime
                    .spawn(read)
                    .await
                    .unwrap_or_else(|error| Err($crate::store::error::StoreError::Failed(error.to_string())))
            }
        }
    };
}
pub(super) use read;

/// A read with its time limit.
pub(super) async fn limited<T>(read: impl Future<Output = sqlx::Result<T>>) -> Result<T, StoreError> {
    match tokio::time::timeout(READ_LIMIT, read).await {
        Ok(outcome) => outcome.map_err(StoreError::from),
        Err(_) => Err(StoreError::Away(format!("no response to a read within {READ_LIMIT:?}"))),
    }
}

impl Database {
    /// Opens the database and migrates it.
    pub(super) async fn open(text: &str) -> Result<Self, OpenError> {
        match text.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Sqlite::open(text).await.map(Self::Sqlite),
            Some("postgres" | "postgresql") => Postgres::open(text).await.map(Self::Postgres),
            _ => Err(OpenError {
                value: url::masked(text),
                reason: "unsupported database".to_owned(),
                remedy: "use sqlite://FILE, such as sqlite://firedrill.db, or \
                         postgres://USER:PASSWORD@HOST:PORT/DATABASE",
            }),
        }
    }

    pub(super) async fn begin(&self) -> sqlx::Result<Tx> {
        match self {
            // Takes the write lock at once: a transaction that reads first could not get it later if another process
            // wrote in between.
            Self::Sqlite(db) => db.writer.begin_with("BEGIN IMMEDIATE").await.map(Tx::Sqlite),
            Self::Postgres(db) => db.writer.begin().await.map(Tx::Postgres),
        }
    }

    /// Must be called after a failed group: the writer's connection may be in any state, and is replaced.
    pub(super) fn distrust_writer(&self) {
        if let Self::Sqlite(db) = self {
            db.distrust_writer();
        }
    }

    /// Must be called before the responses, once a group of writes was committed or may have been.
    pub(super) fn committed(&self) {
        if let Self::Sqlite(Sqlite { direct: Some(direct), .. }) = self {
            direct.committed();
        }
    }

    pub(super) async fn close(&self) {
        let closed = async {
            match self {
                Self::Sqlite(db) => db.close().await,
                Self::Postgres(db) => {
                    db.reader.close().await;
                    db.writer.close().await;
                }
            }
        };
        if tokio::time::timeout(CLOSE_LIMIT, closed).await.is_err() {
            tracing::warn!(limit = ?CLOSE_LIMIT, "database did not close in time");
        }
    }
}

impl Tx {
    /// Sets the savepoint of [`Self::undo`].
    pub(super) async fn mark(&mut self) -> sqlx::Result<()> {
        self.run("SAVEPOINT one").await
    }

    /// Keeps what was done since the savepoint.
    pub(super) async fn keep(&mut self) -> sqlx::Result<()> {
        self.run("RELEASE SAVEPOINT one").await
    }

    /// Undoes what was done since the savepoint, including a failure.
    pub(super) async fn undo(&mut self) -> sqlx::Result<()> {
        self.run("ROLLBACK TO SAVEPOINT one").await?;
        self.keep().await
    }

    async fn run(&mut self, statement: &'static str) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(tx) => sqlx::query(statement).execute(&mut **tx).await.map(drop),
            Self::Postgres(tx) => sqlx::query(statement).execute(&mut **tx).await.map(drop),
        }
    }

    pub(super) async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }

    pub(super) async fn rollback(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(tx) => tx.rollback().await,
            Self::Postgres(tx) => tx.rollback().await,
        }
    }
}
