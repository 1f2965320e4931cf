//! The command line: serve, or run one of the small commands.

pub mod dotenv;
pub mod hash_key;
pub mod healthcheck;
pub mod print;

use crate::config::Config;

/// Command-line arguments of `api`. Without a command, the gateway starts.
#[derive(Debug, clap::Parser)]
#[command(
    name = "api",
    version,
    about = "The Firedrill gateway: users, health, slow and error endpoints, metrics and rate limits",
    after_help = "Each setting can be a flag, the environment variable named beside it, or a line in the file .env of the \
                  current folder. The flag overrides the variable, and the variable overrides the file."
)]
pub struct Cli {
    /// The settings.
    #[command(flatten)]
    pub config: Config,

    /// Print the effective settings as NAME=value lines, with secrets masked, and exit
    #[arg(long)]
    pub print_config: bool,

    /// Command to run instead of the gateway.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Command to run instead of the gateway.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Generate an API key and its entry for API_KEYS_FILE
    HashKey(hash_key::HashKey),
    /// Check whether the gateway with these settings is ready: exit code 0 or 1, within 2 seconds
    Healthcheck(healthcheck::Healthcheck),
}
