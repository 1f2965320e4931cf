//! How an `https://` target is shaken hands with.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::trust::Trust;

/// A handshake in the making.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Versions, ciphers, trust.
    pub config: Arc<ClientConfig>,
    /// Whom the certificate must be for.
    pub name: ServerName<'static>,
}

impl Tls {
    /// For a host name or address.
    ///
    /// # Errors
    /// A sentence that names the file or the host, and the way out.
    pub fn to(host: &str, trust: &Trust) -> Result<Self, String> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
            format!("`{host}` cannot be the name of a TLS server; give a DNS name or an IP address")
        })?;
        let mut config = trust.client()?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), name })
    }
}
