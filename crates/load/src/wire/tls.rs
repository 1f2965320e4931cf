//! TLS setup for `https://` targets.

use crate::error::LoadError;
use std::io;
use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use common::tls::{Trust, refusal};

/// The TLS setup of a target.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Versions, ciphers and trusted certificates.
    pub config: Arc<ClientConfig>,
    /// The name that the certificate must be valid for.
    pub name: ServerName<'static>,
    /// Why the first rejected certificate was rejected; shared by all clones.
    refusal: Arc<OnceLock<String>>,
}

impl Tls {
    /// The setup for a host name or address.
    ///
    /// # Errors
    /// A sentence that names the file or the host, and the fix.
    pub fn to(host: &str, trust: &Trust) -> Result<Self, LoadError> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
            LoadError::Tls(format!(
                "`{host}` cannot be the name of a TLS server; use a DNS name or an IP address"
            ))
        })?;
        let mut config = trust.client().map_err(|error| LoadError::Tls(error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), name, refusal: Arc::default() })
    }

    /// Stores the reason of a failed handshake, if it is the first about the certificate.
    pub fn note(&self, error: &io::Error) {
        let error = error.get_ref().and_then(|error| error.downcast_ref());
        if let Some(rustls::Error::InvalidCertificate(error)) = error {
            self.refusal.get_or_init(|| {
                let reason = refusal::reason(error);
                format!("the certificate is not accepted: {reason}; use --insecure to accept any certificate")
            });
        }
    }

    /// Why a certificate was rejected, with the fix; `None` if none was.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.get().map(String::as_str)
    }
}
