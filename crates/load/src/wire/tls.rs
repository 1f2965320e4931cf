//! How an `https://` target is shaken hands with.

use crate::error::LoadError;
use std::io;
use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use common::tls::{Trust, refusal};

/// A handshake in the making.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Versions, ciphers, trust.
    pub config: Arc<ClientConfig>,
    /// Whom the certificate must be for.
    pub name: ServerName<'static>,
    /// Why the first certificate that was not accepted was not; all copies share it.
    refusal: Arc<OnceLock<String>>,
}

impl Tls {
    /// For a host name or address.
    ///
    /// # Errors
    /// A sentence that names the file or the host, and the way out.
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

    /// Keeps the reason of a handshake's failure, if it is the first that has to do with the certificate.
    pub fn note(&self, error: &io::Error) {
        let error = error.get_ref().and_then(|error| error.downcast_ref());
        if let Some(rustls::Error::InvalidCertificate(error)) = error {
            self.refusal.get_or_init(|| {
                let reason = refusal::reason(error);
                format!("the certificate is not accepted: {reason}; use --insecure to accept any certificate")
            });
        }
    }

    /// Why a certificate was not accepted, with the way out; none while none was refused.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.get().map(String::as_str)
    }
}
