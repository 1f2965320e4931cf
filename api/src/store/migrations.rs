//! The files in `migrations/`, built into the binary: the gateway needs no file beside it.

use sqlx::{
    PgPool, SqlSafeStr, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

macro_rules! migrations {
    ($folder:literal) => {
        migrations!($folder: 1 "users", 2 "readings", 3 "idempotency_keys", 4 "readings_stored_at")
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

/// Brings a PostgreSQL database up to date. The migrator holds an advisory lock, so that of several gateways that
/// start at once one migrates and the others wait for it.
pub(super) async fn postgres(pool: &PgPool) -> Result<(), MigrateError> {
    migrations!("postgres").run(pool).await
}

/// Brings a SQLite file up to date. SQLite has no advisory locks: the write lock, held from before the first look until
/// the last step, lets one of several gateways that start at once migrate while the others wait for it.
pub(super) async fn sqlite(pool: &SqlitePool) -> Result<(), MigrateError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    migrations!("sqlite").run_direct(None, &mut *transaction, false).await?;
    Ok(transaction.commit().await?)
}
