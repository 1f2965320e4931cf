//! The command line: serve, or one of the small helpers beside it.

pub mod dotenv;
pub mod hash_key;
pub mod healthcheck;
pub mod print;

use crate::config::Config;

/// What `api` takes. Without a command it serves.
#[derive(Debug, clap::Parser)]
#[command(
    name = "api",
    version,
    about = "The Firedrill gateway: users, health, slow and error endpoints, metrics and rate limits",
    after_help = "Each setting may be given as a flag, as the environment variable named beside it, or in a file .env in the \
                  current folder; the flag wins over the variable, the variable over the file."
)]
pub struct Cli {
    /// The settings.
    #[command(flatten)]
    pub config: Config,

    /// Print the resulting settings as NAME=value lines, secrets masked, and exit
    #[arg(long)]
    pub print_config: bool,

    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make an API key and the lines for API_KEYS_FILE that let it in
    HashKey(hash_key::HashKey),
    /// Ask the gateway of these settings whether it is ready: exit code 0 or 1, within 2 seconds
    Healthcheck(healthcheck::Healthcheck),
}
