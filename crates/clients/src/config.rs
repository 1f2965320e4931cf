//! Connection settings of the clients: trusted certificates and the bearer token.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::headers::HeaderConfig;
use common::tls::{Identity, Trust};

/// Settings for all systems of a stack. User and password are part of each system's address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpConfig {
    /// Trusted certificates for `https://` addresses.
    #[serde(default)]
    pub trust: Trust,
    /// Client certificate for `https://` addresses.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// Further headers for Prometheus and Alertmanager.
    #[serde(default)]
    pub headers: HeaderConfig,
    /// Bearer token for Prometheus and Alertmanager, unless their address has a user.
    #[serde(default)]
    pub bearer_token_file: Option<PathBuf>,
    /// Bearer token for the gateway's admin listener.
    #[serde(default)]
    pub admin_token_file: Option<PathBuf>,
}
