//! TLS client configuration and trusted certificates, for load targets and monitoring systems.

pub mod refusal;
mod verifier;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
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
        self.client_as(None)
    }

    /// As [`Self::client`], with a client certificate.
    ///
    /// # Errors
    /// When the certificates or the key cannot be loaded.
    pub fn client_as(&self, identity: Option<&Identity>) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = match self {
            Self::System => {
                let builder = versions(provider)?.with_root_certificates(system()?);
                return finish(builder, identity);
            }
            Self::File(path) => {
                Verifier::pinned(file(path)?, &provider).map_err(|error| bad_file(path, &error))?
            }
            Self::Anyone => Verifier::anyone(&provider),
        };
        let builder = versions(provider)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        finish(builder, identity)
    }
}

/// A client certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// PEM file of the certificate, followed by those between it and the authority.
    pub cert: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
}

type Verified = rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

fn finish(builder: Verified, identity: Option<&Identity>) -> Result<ClientConfig, Error> {
    let Some(Identity { cert, key }) = identity else { return Ok(builder.with_no_client_auth()) };
    let bad = |flag, path: &Path, reason: String| Error::Identity { flag, path: path.to_owned(), reason };
    let certificates = read_certificates(cert, |reason| bad("--cert", cert, reason))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad("--key", key, error.to_string()))?;
    let built = builder.with_client_auth_cert(certificates, private);
    built.map_err(|error| bad("--key", key, format!("does not fit --cert {}: {error}", cert.display())))
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
    read_certificates(path, |reason| bad_file(path, &reason))
}

fn read_certificates(
    path: &Path,
    bad: impl Fn(String) -> Error,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))?;
    let certificates: Vec<_> =
        certificates.collect::<Result<_, _>>().map_err(|error| bad(error.to_string()))?;
    if certificates.is_empty() { Err(bad("contains no certificate".to_owned())) } else { Ok(certificates) }
}

fn bad_file(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Certificates { path: path.to_owned(), reason: error.to_string() }
}
