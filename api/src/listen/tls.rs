//! Certificate and key of the public listener.

use crate::{
    config::{SettingError, TlsSettings},
    pem,
};
use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// HTTPS of the public listener.
pub(crate) struct Tls {
    pub(crate) config: ServerConfig,
    pub(crate) certificate: Arc<Certificate>,
}

/// The certificate that new connections get, and its files.
#[derive(Debug)]
pub(crate) struct Certificate {
    cert: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl Certificate {
    /// Reads the files again. Open connections keep their certificate.
    ///
    /// # Errors
    /// As [`tls`]; the current certificate stays.
    pub(crate) fn reload(&self) -> Result<(), SettingError> {
        self.current.store(Arc::new(files(&self.cert, &self.key)?));
        Ok(())
    }
}

/// Reads the certificate and key; `None` when HTTP is served.
///
/// # Errors
/// [`SettingError`] naming the file that is missing, unreadable or of another kind, or the key that does not match the
/// certificate.
pub(crate) fn tls(settings: &TlsSettings) -> Result<Option<Tls>, SettingError> {
    let Some((cert, key)) = settings.files()? else { return Ok(None) };
    let current = ArcSwap::from_pointee(files(cert, key)?);
    let certificate = Arc::new(Certificate { cert: cert.to_owned(), key: key.to_owned(), current });
    // Named rather than taken from the process: a second provider among the dependencies must not decide.
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_cert_resolver(certificate.clone());
    Ok(Some(Tls { config, certificate }))
}

fn files(cert: &Path, key: &Path) -> Result<CertifiedKey, SettingError> {
    Ok(pem::certified_key(("TLS_CERT", cert), ("TLS_KEY", key))?)
}
