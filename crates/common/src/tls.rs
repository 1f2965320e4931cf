//! TLS client configuration and trusted certificates, for load targets and monitoring systems.

pub mod refusal;
mod verifier;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::tls::verifier::Verifier;

/// Which certificates are accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Those trusted by the system.
    #[default]
    System,
    /// Those in this PEM file, and those signed by them.
    File(PathBuf),
    /// Any certificate.
    Anyone,
}

impl Trust {
    /// A client configuration. ALPN is left to the caller.
    ///
    /// # Errors
    /// When the certificates cannot be loaded.
    pub fn client(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = match self {
            Self::System => return rooted(system()?),
            Self::File(path) => {
                Verifier::pinned(file(path)?, &provider).map_err(|error| bad_file(path, &error))?
            }
            Self::Anyone => Verifier::anyone(&provider),
        };
        let builder = versions(provider)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        Ok(builder.with_no_client_auth())
    }
}

/// A client configuration that accepts no certificate, for plain HTTP.
///
/// # Errors
/// When TLS setup fails.
pub fn untrusting() -> Result<ClientConfig, Error> {
    rooted(RootCertStore::empty())
}

type Versions = rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>;

fn versions(provider: Arc<CryptoProvider>) -> Result<Versions, Error> {
    Ok(ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?)
}

fn rooted(roots: RootCertStore) -> Result<ClientConfig, Error> {
    let builder = versions(Arc::new(ring::default_provider()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn system() -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    store.add_parsable_certificates(found.certs);
    if store.is_empty() { Err(Error::NoCertificates) } else { Ok(store) }
}

fn file(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| bad_file(path, &error))?;
    let certificates: Vec<_> =
        certificates.collect::<Result<_, _>>().map_err(|error| bad_file(path, &error))?;
    if certificates.is_empty() { Err(bad_file(path, &"contains no certificate")) } else { Ok(certificates) }
}

fn bad_file(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Certificates { path: path.to_owned(), reason: error.to_string() }
}
