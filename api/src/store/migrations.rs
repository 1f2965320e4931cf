//! The files in `migrations/`, built into the binary: the gateway needs no file beside it.

use sqlx::{
    PgPool, SqlSafeStr, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use std::time::Duration;

/// What one gateway waits for another that migrates the same SQLite file: tries, and the time between them.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(100);

macro_rules! migrations {
    ($folder:literal) => {
        Migrator::with_migrations(vec![
            migration(1, "users", include_str!(concat!("../../migrations/", $folder, "/0001_users.sql"))),
            migration(
                2,
                "readings",
                include_str!(concat!("../../migrations/", $folder, "/0002_readings.sql")),
            ),
            migration(
                3,
                "idempotency_keys",
                include_str!(concat!("../../migrations/", $folder, "/0003_idempotency_keys.sql")),
            ),
            migration(
                4,
                "readings_stored_at",
                include_str!(concat!("../../migrations/", $folder, "/0004_readings_stored_at.sql")),
            ),
        ])
    };
}

fn migration(version: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
}

/// Brings a PostgreSQL database up to date. The migrator holds an advisory lock, so that of several gateways that
/// start at once one migrates and the others wait for it.
pub(super) async fn postgres(pool: &PgPool) -> Result<(), MigrateError> {
    migrations!("postgres").run(pool).await
}

/// Brings a SQLite file up to date. SQLite has no advisory locks: of several gateways that start at once one
/// migrates, the others fail on its lock or its tables and look again.
pub(super) async fn sqlite(pool: &SqlitePool) -> Result<(), MigrateError> {
    let mut tries = 1;
    loop {
        match migrations!("sqlite").run(pool).await {
            Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) if tries < TRIES => {
                tries += 1;
                tokio::time::sleep(BETWEEN).await;
            }
            outcome => return outcome,
        }
    }
}
