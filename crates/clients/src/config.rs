//! How systems are reached: whose certificates are accepted, and the token that is shown.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use common::tls::Trust;

/// What holds for every system of a stack; user and password stand in a system's address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpConfig {
    /// For `https://` addresses.
    #[serde(default)]
    pub trust: Trust,
    /// Shown to Prometheus and Alertmanager, where their address has no user.
    #[serde(default)]
    pub bearer_token_file: Option<PathBuf>,
}

/// The same as arguments.
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
