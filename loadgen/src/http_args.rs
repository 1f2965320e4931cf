//! Arguments of how systems are reached, the same for every subcommand that calls some.

use std::path::PathBuf;

use clients::HttpConfig;
use common::tls::Trust;

/// Becomes an [`HttpConfig`].
#[derive(Debug, Clone, Default, clap::Args)]
pub struct HttpArgs {
    /// Trust the certificates of this file instead of the system's
    #[arg(long, env = "CACERT_FILE", value_name = "FILE.pem")]
    cacert: Option<PathBuf>,
    /// Show Prometheus and Alertmanager the bearer token in this file, read anew for every call. User and password, where
    /// those are wanted, stand in the address: https://USER:PASSWORD@HOST
    #[arg(long, env = "BEARER_TOKEN_FILE", value_name = "FILE")]
    bearer_token_file: Option<PathBuf>,
}

impl HttpArgs {
    /// With absolute paths: what is written down for the next run may be read elsewhere.
    #[must_use]
    pub fn config(&self) -> HttpConfig {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        HttpConfig {
            trust: self.cacert.as_ref().map_or(Trust::System, |file| Trust::File(absolute(file))),
            bearer_token_file: self.bearer_token_file.as_ref().map(absolute),
        }
    }
}
