//! Spans over https: the collector's certificate is verified.

use crate::{
    connections::tls::certify_for,
    helpers::binary,
    process::running::Running,
    traces::spans::{collector_of, spans},
};
use nix::sys::signal::Signal;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{io, path::Path, sync::Arc};

fn server(dir: &Path) -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(dir.join("cert.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(dir.join("key.pem")).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

#[tokio::test]
async fn spans_reach_only_a_verified_collector_over_https() {
    let dir = tempfile::tempdir().unwrap();
    certify_for(dir.path(), "127.0.0.1");
    let config = server(dir.path());
    let (address, batches) = collector_of(move |socket| {
        let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
        Ok(StreamOwned::new(session, socket))
    });
    let (url, cert) = (format!("https://{address}"), dir.path().join("cert.pem").display().to_string());
    let flags = ["--drain-delay", "0s", "--otlp-endpoint", &url, "--otel-service-name", "shop"];
    let api = Running::start(&[&flags[..], &["--otlp-certificate", &cert]].concat());
    assert_eq!(api.status("/livez").await, Some(200));
    let names: Vec<String> = spans(api, &batches).await.into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["GET /livez"]);

    // No authority of the system has signed it.
    let mut api = Running::start(&flags);
    assert_eq!(api.status("/livez").await, Some(200));
    api.signal(Signal::SIGTERM);
    assert_eq!(api.ended().await.code(), Some(0));
    let warnings = api.lines.iter().filter(|line| line["message"].to_string().contains("span export failed"));
    assert_eq!(warnings.count(), 1);
    assert_eq!(batches.try_iter().count(), 0);
}

#[test]
fn names_an_unreadable_certificate() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("junk.pem"), "no certificate").unwrap();
    for file in ["none.pem", "junk.pem"] {
        let mut command = binary(dir.path());
        command.args(["--listen", "127.0.0.1:0", "--otlp-endpoint", "https://127.0.0.1:1"]);
        let output = command.args(["--otlp-certificate", file]).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(&format!("OTEL_EXPORTER_OTLP_CERTIFICATE={file}: ")), "{text}");
        assert!(text.contains("PEM"), "{text}");
    }
}
