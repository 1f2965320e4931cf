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
