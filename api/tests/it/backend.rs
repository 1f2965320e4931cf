//! The databases that a test runs on: each test runs on both.

use crate::helpers::{TestApp, roomy, spawn_at};
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::sync::OnceLock;
use testkit::{Durability, Postgres};

/// The kind of database.
#[derive(Debug, Clone, Copy)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// A database for one test.
pub struct Database {
    pub url: String,
    _dir: Option<tempfile::TempDir>,
}

/// One server for all tests of this binary, with a database per test. It ends with the binary.
fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| Postgres::start(Durability::None).unwrap())
}

impl Backend {
    /// An empty database.
    pub async fn database(self) -> Database {
        match self {
            Self::Sqlite => {
                let dir = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}", dir.path().join("test.db").display());
                Database { url, _dir: Some(dir) }
            }
            Self::Postgres => Database::on(server()).await,
        }
    }

    /// A gateway on an empty database.
    pub async fn spawn(self) -> (TestApp, Database) {
        let database = self.database().await;
        (database.spawn(&[]).await, database)
    }
}

impl Database {
    /// An empty database on a server.
    pub async fn on(server: &Postgres) -> Self {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let mut admin = PgConnection::connect(&server.url("postgres")).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut admin).await.unwrap();
        Self { url: server.url(&name), _dir: None }
    }

    /// A gateway on it.
    pub async fn spawn(&self, flags: &[&str]) -> TestApp {
        spawn_at(Some(&self.url), &roomy(), flags).await
    }

    /// The number that a statement returns.
    pub async fn number(&self, statement: &'static str) -> i64 {
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap()
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap()
        }
    }

    /// Runs a statement.
    pub async fn execute(&self, statement: &str) {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        }
    }

    /// The integrity check of SQLite; always true for PostgreSQL, whose server was not killed.
    pub async fn is_intact(&self) -> bool {
        if !self.url.starts_with("sqlite:") {
            return true;
        }
        let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
        let verdict: String =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
        verdict == "ok"
    }
}

/// Makes two tests of each listed function, which takes a [`Backend`].
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::backend::Backend::Sqlite).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::backend::Backend::Postgres).await;
                }
            )*
        }
    };
}
