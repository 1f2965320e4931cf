//! Certificates and keys in PEM files.

use rustls::{
    RootCertStore,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{Error as PemError, PemObject},
    },
    sign::CertifiedKey,
};
use std::path::{Path, PathBuf};

/// A setting and the file that it names.
pub(crate) type Named<'p> = (&'static str, &'p Path);

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub variable: &'static str,
    pub path: PathBuf,
    pub reason: String,
    pub remedy: &'static str,
}

/// Reads a certificate with its chain, and its key.
///
/// # Errors
/// [`Refusal`] naming the file that is missing, unreadable, of another kind, or does not belong to the other.
pub(crate) fn certified_key(cert: Named<'_>, key: Named<'_>) -> Result<CertifiedKey, Refusal> {
    let chain = certificates(cert, CERT)?;
    let secret =
        PrivateKeyDer::from_pem_file(key.1).map_err(|error| refusal(key, unreadable(&error), KEY))?;
    CertifiedKey::from_der(chain, secret, &ring::default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            let reason = format!("is not the key of the certificate in {}", cert.1.display());
            refusal(key, reason, KEY)
        }
        rustls::Error::InvalidCertificate(_) => refusal(cert, error.to_string(), CERT),
        _ => refusal(key, error.to_string(), KEY),
    })
}

/// The contents of a file of certificates of authorities.
///
/// # Errors
/// As [`certified_key`].
pub(crate) fn authorities(variable: &'static str, path: &Path) -> Result<Vec<u8>, Refusal> {
    let mut store = RootCertStore::empty();
    for certificate in certificates((variable, path), AUTHORITIES)? {
        store.add(certificate).map_err(|error| refusal((variable, path), error.to_string(), AUTHORITIES))?;
    }
    bytes(variable, path)
}

pub(crate) fn bytes(variable: &'static str, path: &Path) -> Result<Vec<u8>, Refusal> {
    std::fs::read(path).map_err(|error| {
        refusal((variable, path), format!("cannot read the file ({error})"), "set it to a readable PEM file")
    })
}

fn certificates(file: Named<'_>, remedy: &'static str) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let chain = CertificateDer::pem_file_iter(file.1)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refusal(file, unreadable(&error), remedy))?;
    if chain.is_empty() {
        return Err(refusal(file, "contains no certificate".to_owned(), remedy));
    }
    Ok(chain)
}

const CERT: &str = "set it to a PEM file with the certificate first, then its chain";
const KEY: &str = "set it to the PEM file with the private key of that certificate";
const AUTHORITIES: &str = "set it to a PEM file with the certificates of the authorities";

fn refusal((variable, path): Named<'_>, reason: String, remedy: &'static str) -> Refusal {
    Refusal { variable, path: path.to_owned(), reason, remedy }
}

fn unreadable(error: &PemError) -> String {
    match error {
        PemError::Io(error) => format!("cannot read the file ({error})"),
        PemError::NoItemsFound => "contains no PEM block of the expected kind".to_owned(),
        other => format!("is not valid PEM ({other})"),
    }
}
