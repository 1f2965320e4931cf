//! Whose certificates are accepted where TLS is spoken, and by which implementation: for the target of a run as for the
//! systems under proof.

mod pinned;
pub mod refusal;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use serde::{Deserialize, Serialize};

use crate::tls::pinned::Pinned;

/// Whose certificates are accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Those that the system trusts.
    #[default]
    System,
    /// Those signed by the certificates of this PEM file, and these themselves.
    File(PathBuf),
    /// All.
    Anyone,
}

impl Trust {
    /// Versions, ciphers and trust of a client; ALPN is left to the caller.
    ///
    /// # Errors
    /// A sentence that names the file, and the way out.
    pub fn client(&self) -> Result<ClientConfig, String> {
        match self {
            Self::System => rooted(system()?),
            Self::File(path) => {
                let provider = Arc::new(ring::default_provider());
                let verifier = Pinned::new(file(path)?, &provider).map_err(|error| bad_file(path, &error))?;
                verified(provider, Arc::new(verifier))
            }
            Self::Anyone => {
                let provider = Arc::new(ring::default_provider());
                let verifier = Arc::new(AcceptAnyone(Arc::clone(&provider)));
                verified(provider, verifier)
            }
        }
    }
}

/// A client that accepts nobody, for where no TLS is spoken.
///
/// # Errors
/// That TLS cannot be set up.
pub fn nobody() -> Result<ClientConfig, String> {
    rooted(RootCertStore::empty())
}

type Versions = rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>;

fn versions(provider: Arc<CryptoProvider>) -> Result<Versions, String> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))
}

fn rooted(roots: RootCertStore) -> Result<ClientConfig, String> {
    let builder = versions(Arc::new(ring::default_provider()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn verified(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, String> {
    let builder = versions(provider)?.dangerous().with_custom_certificate_verifier(verifier);
    Ok(builder.with_no_client_auth())
}

fn system() -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        let said =
            "this system has no trusted certificates: install ca-certificates, or give --cacert FILE.pem";
        return Err(said.to_owned());
    }
    Ok(store)
}

fn file(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| bad_file(path, &error))?;
    let certificates: Vec<_> =
        certificates.collect::<Result<_, _>>().map_err(|error| bad_file(path, &error))?;
    if certificates.is_empty() { Err(bad_file(path, &"no certificate in it")) } else { Ok(certificates) }
}

fn bad_file(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("--cacert {}: {error}; expected a PEM file", path.display())
}

/// `--insecure`: whoever answers is believed to be the target. Signatures are still checked, so that a server that does
/// not hold the key of its own certificate is noticed.
#[derive(Debug)]
struct AcceptAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
