/// Where data is kept.
#[derive(Debug, Clone, clap::Args)]
pub struct StorageSettings {
    /// Database: sqlite://FILE (created when missing) or sqlite::memory:
    #[arg(long, env = "DATABASE_URL", value_name = "DATABASE_URL", default_value = "sqlite://firedrill.db")]
    pub database_url: String,
}
