//! Certificate and key of the public listener.

use crate::config::{SettingError, TlsSettings};
use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{Error as PemError, PemObject},
    },
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
        self.current.store(Arc::new(read(&self.cert, &self.key)?));
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
    let current = ArcSwap::from_pointee(read(cert, key)?);
    let certificate = Arc::new(Certificate { cert: cert.to_owned(), key: key.to_owned(), current });
    // Named rather than taken from the process: a second provider among the dependencies must not decide.
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_cert_resolver(certificate.clone());
    Ok(Some(Tls { config, certificate }))
}

fn read(cert: &Path, key: &Path) -> Result<CertifiedKey, SettingError> {
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refusal("TLS_CERT", cert, unreadable(&error), CERT))?;
    if chain.is_empty() {
        return Err(refusal("TLS_CERT", cert, "contains no certificate".to_owned(), CERT));
    }
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| refusal("TLS_KEY", key, unreadable(&error), KEY))?;
    CertifiedKey::from_der(chain, secret, &ring::default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            let reason = format!("is not the key of the certificate in {}", cert.display());
            refusal("TLS_KEY", key, reason, KEY)
        }
        rustls::Error::InvalidCertificate(_) => refusal("TLS_CERT", cert, error.to_string(), CERT),
        _ => refusal("TLS_KEY", key, error.to_string(), KEY),
    })
}

const CERT: &str = "set it to a PEM file with the certificate first, then its chain";
const KEY: &str = "set it to the PEM file with the private key of that certificate";

fn refusal(variable: &'static str, path: &Path, reason: String, remedy: &'static str) -> SettingError {
    SettingError { variable, value: path.display().to_string(), reason, remedy }
}

fn unreadable(error: &PemError) -> String {
    match error {
        PemError::Io(error) => format!("cannot read the file ({error})"),
        PemError::NoItemsFound => "contains no PEM block of the expected kind".to_owned(),
        other => format!("is not valid PEM ({other})"),
    }
}
