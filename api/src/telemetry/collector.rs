//! The HTTP client that sends spans. It blocks: the thread that sends them has nothing else to do.

use crate::config::{SettingError, TraceSettings};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{path::Path, sync::Arc, time::Duration};
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

/// Maximum number of bytes read of a response; a collector's is short.
const LONGEST_RESPONSE: u64 = 1 << 20;

/// A client for one collector.
#[derive(Debug)]
pub(super) struct Collector(Agent);

impl Collector {
    /// Over https the collector's certificate must come from the configured file or from an authority the system
    /// trusts.
    ///
    /// # Errors
    /// [`SettingError`] when the file cannot be read.
    pub(super) fn new(settings: &TraceSettings, limit: Duration) -> Result<Self, SettingError> {
        let mut config =
            Agent::config_builder().timeout_global(Some(limit)).http_status_as_error(false).max_redirects(0);
        if settings.is_encrypted() {
            let roots = match settings.certificate() {
                Some(path) => from_file(path)?,
                None => from_system(),
            };
            let tls = TlsConfig::builder()
                .root_certs(RootCerts::Specific(Arc::new(roots)))
                // Named explicitly: another provider among the dependencies must not take its place.
                .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()));
            config = config.tls_config(tls.build());
        }
        Ok(Self(config.build().into()))
    }
}

fn from_system() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        tracing::warn!(errors = ?found.errors, "the system has no certificates to verify the collector with");
    }
    found.certs.iter().map(|cert| Certificate::from_der(cert).to_owned()).collect()
}

fn from_file(path: &Path) -> Result<Vec<Certificate<'static>>, SettingError> {
    let refusal = |reason: String| SettingError {
        variable: "OTEL_EXPORTER_OTLP_CERTIFICATE",
        value: path.display().to_string(),
        reason,
        remedy: "set it to a PEM file with the certificate of the collector or of its certificate authority",
    };
    let certs = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certs = certs.map_err(|error| refusal(format!("cannot read certificates as PEM ({error})")))?;
    if certs.is_empty() {
        return Err(refusal("contains no certificate".to_owned()));
    }
    Ok(certs.iter().map(|cert| Certificate::from_der(cert).to_owned()).collect())
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, mut body) = self.0.run(request.map(|bytes| bytes.to_vec()))?.into_parts();
        let bytes = body.with_config().limit(LONGEST_RESPONSE).read_to_vec()?;
        Ok(Response::from_parts(head, bytes.into()))
    }
}
