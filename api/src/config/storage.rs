use std::time::Duration;

/// Where data is kept.
#[derive(Debug, Clone, clap::Args)]
pub struct StorageSettings {
    /// Database: sqlite://FILE (created when missing), sqlite::memory: or postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "DATABASE_URL",
        default_value = "sqlite://firedrill.db",
        hide_env_values = true
    )]
    pub database_url: String,

    /// Writes that may wait to be committed before a client is told 503, 1 to 1000000
    #[arg(
        long,
        env = "WRITE_QUEUE",
        value_name = "WRITE_QUEUE",
        default_value = "4096",
        value_parser = |text: &str| places(text, 1)
    )]
    pub write_queue: usize,

    /// Readings that may wait to be committed before a client is told 503, 1000 to 1000000
    #[arg(
        long,
        env = "INGEST_QUEUE",
        value_name = "INGEST_QUEUE",
        default_value = "20000",
        value_parser = |text: &str| places(text, 1000)
    )]
    pub ingest_queue: usize,

    /// How long readings are kept after they came in, such as 30d, or forever
    #[arg(
        long,
        env = "READINGS_RETENTION",
        value_name = "READINGS_RETENTION",
        default_value = "30d",
        value_parser = retention
    )]
    pub readings_retention: Retention,
}

/// How long something is kept; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(pub Option<Duration>);

impl StorageSettings {
    /// The database's URL as it may be shown: its password masked.
    pub fn masked_url(&self) -> String {
        crate::store::url::masked(&self.database_url)
    }
}

fn retention(text: &str) -> Result<Retention, String> {
    match text.trim() {
        "forever" => Ok(Retention(None)),
        text => {
            let kept = super::value::duration(text).ok().filter(|kept| kept.as_secs() > 0);
            kept.map(|kept| Retention(Some(kept)))
                .ok_or_else(|| "expected a duration of a second or more, such as 30d, or forever".to_owned())
        }
    }
}

/// A queue's length. One of readings holds a full batch at least, or that batch could never be taken.
fn places(text: &str, least: usize) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(places) if (least..=1_000_000).contains(&places) => Ok(places),
        _ => Err(format!("expected a whole number from {least} to 1000000")),
    }
}
