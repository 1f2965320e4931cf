use super::value::{self, ValueError};
use std::time::Duration;

/// Storage.
#[derive(Debug, Clone, clap::Args)]
pub struct StorageSettings {
    /// Database: sqlite://FILE (created when missing), sqlite::memory: or postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(long, env, default_value = "sqlite://firedrill.db", hide_env_values = true)]
    pub database_url: String,

    /// Writes that may wait for a commit, 1 to 1000000; further ones get 503
    #[arg(
        long,
        env,
        default_value = "4096",
        value_parser = |text: &str| value::integer(text, 1_usize, 1_000_000)
    )]
    pub write_queue: usize,

    // At least one full batch, which could never be accepted otherwise.
    /// Readings that may wait for a commit, 1000 to 1000000; further ones get 503
    #[arg(
        long,
        env,
        default_value = "20000",
        value_parser = |text: &str| value::integer(text, 1000_usize, 1_000_000)
    )]
    pub ingest_queue: usize,

    /// How long to keep readings after they arrive, such as 30d, or forever
    #[arg(long, env, default_value = "30d", value_parser = retention)]
    pub readings_retention: Retention,
}

/// A retention time; `None` means forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(pub Option<Duration>);

fn retention(text: &str) -> Result<Retention, ValueError> {
    match text.trim() {
        "forever" => Ok(Retention(None)),
        text => {
            let kept = value::duration(text).ok().filter(|kept| kept.as_secs() > 0);
            kept.map(|kept| Retention(Some(kept))).ok_or(ValueError::Retention)
        }
    }
}
