//! Connection arguments shared by the subcommands that call Prometheus or Alertmanager.

use std::path::{Path, PathBuf};

use clients::HttpConfig;
use common::tls::Trust;

/// Arguments for an [`HttpConfig`].
#[derive(Debug, Clone, Default, clap::Args)]
pub struct HttpArgs {
    /// Trust the certificates in this file instead of the system's
    #[arg(long, env = "CACERT_FILE", value_name = "FILE.pem")]
    cacert: Option<PathBuf>,
    /// Send the bearer token in this file to Prometheus and Alertmanager; it is read for every call. Set user and
    /// password in the address: https://USER:PASSWORD@HOST
    #[arg(long, env = "BEARER_TOKEN_FILE", value_name = "FILE")]
    bearer_token_file: Option<PathBuf>,
}

/// The absolute path, which is valid in every directory.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl HttpArgs {
    /// The configuration with absolute paths, so that a later run from another directory can read it.
    #[must_use]
    pub fn config(&self) -> HttpConfig {
        HttpConfig {
            trust: self.cacert.as_ref().map_or(Trust::System, |file| Trust::File(absolute(file))),
            bearer_token_file: self.bearer_token_file.as_deref().map(absolute),
            admin_token_file: None,
        }
    }
}
