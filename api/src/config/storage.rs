use super::value::{self, ValueError};
use std::time::Duration;

/// Where data is kept.
#[derive(Debug, Clone, clap::Args)]
pub struct StorageSettings {
    /// Database: sqlite://FILE (created when missing), sqlite::memory: or postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(long, env, default_value = "sqlite://firedrill.db", hide_env_values = true)]
    pub database_url: String,

    /// Writes that may wait to be committed before a client is told 503, 1 to 1000000
    #[arg(
        long,
        env,
        default_value = "4096",
        value_parser = |text: &str| value::whole(text, 1_usize, 1_000_000)
    )]
    pub write_queue: usize,

    // A full batch at least, or that batch could never be taken.
    /// Readings that may wait to be committed before a client is told 503, 1000 to 1000000
    #[arg(
        long,
        env,
        default_value = "20000",
        value_parser = |text: &str| value::whole(text, 1000_usize, 1_000_000)
    )]
    pub ingest_queue: usize,

    /// How long readings are kept after they came in, such as 30d, or forever
    #[arg(long, env, default_value = "30d", value_parser = retention)]
    pub readings_retention: Retention,
}

/// How long something is kept; `None` is for ever.
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
