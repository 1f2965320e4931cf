//! The files of `migrations/`, built into the binary.

use sqlx::{
    PgPool, SqlSafeStr, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

macro_rules! migrations {
    ($folder:literal) => {
        migrations!($folder: 1 "users", 2 "readings", 3 "idempotency_keys", 4 "readings_stored_at", 5 "large_responses", 6 "orders")
    };
    ($folder:literal: $($version:literal $name:literal),*) => {
        Migrator::with_migrations(vec![$(migration(
            $version,
            $name,
            include_str!(concat!("../../migrations/", $folder, "/000", $version, "_", $name, ".sql")),
        )),*])
    };
}

fn migration(version: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
}

/// Migrates a PostgreSQL database. The migrator holds an advisory lock, so when several gateways start at once, one
/// migrates and the others wait.
pub(super) async fn postgres(pool: &PgPool) -> Result<(), MigrateError> {
    migrations!("postgres").run(pool).await
}

/// Migrates a SQLite file. SQLite has no advisory locks. The write lock, held from the first check to the last step,
/// lets one of several starting gateways migrate while the others wait.
pub(super) async fn sqlite(pool: &SqlitePool) -> Result<(), MigrateError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    migrations!("sqlite").run_direct(None, &mut *transaction, false).await?;
    Ok(transaction.commit().await?)
}
