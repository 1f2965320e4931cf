//! Certificate verification with `--cacert` and `--insecure`, which do not use the system's trust store.

use std::error::Error;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// Accepts any certificate, or those trusted by `--cacert`. Handshake signatures are always checked, so the server must
/// hold the key of its certificate.
#[derive(Debug)]
pub struct Verifier {
    provider: Arc<CryptoProvider>,
    pinned: Option<Pinned>,
}

/// The certificates of `--cacert` are trusted as CAs, and each is also accepted itself: a certificate made by `openssl
/// req -x509` is its own CA, which webpki accepts from no server. Curl accepts it too.
#[derive(Debug)]
struct Pinned {
    signed: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// `--insecure`: accepts any certificate.
    pub fn anyone(provider: &Arc<CryptoProvider>) -> Self {
        Self { provider: Arc::clone(provider), pinned: None }
    }

    /// # Errors
    /// When a certificate is invalid.
    pub fn pinned(
        certificates: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone())?;
        }
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
        let pinned = Some(Pinned { signed: builder.build()?, certificates });
        Ok(Self { provider: Arc::clone(provider), pinned })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(pinned) = &self.pinned else { return Ok(ServerCertVerified::assertion()) };
        match pinned.signed.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            // webpki checks the validity period before it reports these errors. The name still has to be checked, and
            // the handshake signature proves that the server holds the key.
            Err(error)
                if is_of_its_own(&error) && pinned.certificates.iter().any(|own| own == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether the only problem is that the issuer is not trusted.
fn is_of_its_own(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(error) => is_ca(error) || *error == CertificateError::UnknownIssuer,
        _ => false,
    }
}

/// Whether the server presented a CA certificate as its own.
pub fn is_ca(error: &CertificateError) -> bool {
    let CertificateError::Other(other) = error else { return false };
    matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
