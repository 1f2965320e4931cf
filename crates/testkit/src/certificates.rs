//! Certificates of a private authority.

use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};

use process::Error;

/// An authority, and a certificate of 127.0.0.1 and localhost for servers and clients alike, as files.
#[derive(Debug)]
pub struct Certificates {
    dir: tempfile::TempDir,
}

impl Certificates {
    /// Makes new ones.
    ///
    /// # Errors
    /// When they cannot be made or written.
    pub fn make() -> Result<Self, Error> {
        let failed = |error: rcgen::Error| Error::io("making certificates")(std::io::Error::other(error));
        let dir = tempfile::tempdir().map_err(Error::io("creating a temporary folder"))?;
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Another name than that of the certificate, which would pass for one that signed itself.
        authority.distinguished_name.push(DnType::CommonName, "authority of a test");
        let issuer =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().map_err(failed)?).map_err(failed)?;
        let key = KeyPair::generate().map_err(failed)?;
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut leaf = CertificateParams::new(names).map_err(failed)?;
        leaf.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let cert = leaf.signed_by(&key, &issuer).map_err(failed)?;
        let files = [("ca.pem", issuer.pem()), ("cert.pem", cert.pem()), ("key.pem", key.serialize_pem())];
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).map_err(Error::io("writing certificates"))?;
        }
        Ok(Self { dir })
    }

    /// PEM file of the authority.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// PEM file of the certificate.
    #[must_use]
    pub fn cert(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    /// PEM file of its key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.dir.path().join("key.pem")
    }

    /// What a Redis with TLS has in its configuration, as names and values. It demands a certificate of its clients.
    pub(crate) fn of_redis(&self, port: u16) -> Vec<(&'static str, String)> {
        let path = |path: PathBuf| path.display().to_string();
        vec![
            ("tls-port", port.to_string()),
            ("tls-cert-file", path(self.cert())),
            ("tls-key-file", path(self.key())),
            ("tls-ca-cert-file", path(self.ca())),
            ("tls-replication", "yes".to_owned()),
            ("tls-cluster", "yes".to_owned()),
        ]
    }
}
