//! HTTPS and HTTP/2 over real connections, with a generated certificate.

use crate::helpers::{PATIENCE, roomy, spawn_with};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{collections::HashSet, io, path::Path, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Writes `cert.pem` and `key.pem` for localhost.
pub fn certify(dir: &Path) {
    certify_for(dir, "localhost");
}

/// Same for a name or address.
pub fn certify_for(dir: &Path, host: &str) {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    std::fs::write(dir.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}

/// A connection that trusts `cert.pem` only and offers these protocols.
pub async fn connect(
    address: &str,
    dir: &Path,
    offers: &[&str],
    name: &str,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(dir.join("cert.pem")).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = offers.iter().map(|offer| offer.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

fn spoken(stream: &TlsStream<TcpStream>) -> Option<&str> {
    stream.get_ref().1.alpn_protocol().map(|protocol| std::str::from_utf8(protocol).unwrap())
}

pub struct Https {
    pub app: crate::helpers::TestApp,
    dir: tempfile::TempDir,
}

pub async fn spawn() -> Https {
    spawn_https(&[]).await
}

/// With further flags.
pub async fn spawn_https(flags: &[&str]) -> Https {
    let dir = tempfile::tempdir().unwrap();
    certify(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let tls = ["--tls-cert", &cert, "--tls-key", &key];
    let app = spawn_with(&roomy(), &[&tls[..], flags].concat()).await;
    Https { app, dir }
}

impl Https {
    fn address(&self) -> &str {
        self.app.base.strip_prefix("http://").unwrap()
    }

    pub async fn connect(&self, offers: &[&str], name: &str) -> io::Result<TlsStream<TcpStream>> {
        timeout(PATIENCE, connect(self.address(), self.dir.path(), offers, name))
            .await
            .expect("a response in time")
    }
}

#[tokio::test]
async fn https_speaks_http_1() {
    let https = spawn().await;
    for offers in [&["http/1.1"][..], &[]] {
        let mut stream = https.connect(offers, "localhost").await.unwrap();
        assert_eq!(spoken(&stream), offers.first().copied());
        let body = format!("{{\"name\":\"Ada\",\"email\":\"ada{}@example.com\"}}", offers.len());
        let create = format!(
            "POST /api/users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let read = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(format!("{create}{read}").as_bytes()).await.unwrap();
        let mut text = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
        assert!(text.starts_with("HTTP/1.1 201 Created\r\n"), "{text}");
        assert!(text.contains("HTTP/1.1 200 OK\r\n") && text.ends_with("}}"), "{text}");
    }
}

#[tokio::test]
async fn https_speaks_http_2_with_many_requests_at_once() {
    let https = spawn().await;
    let stream = https.connect(&["h2", "http/1.1"], "localhost").await.unwrap();
    assert_eq!(spoken(&stream), Some("h2"));
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let driver = tokio::spawn(connection);
    let send = |method: &str, path: &str, body: Option<&str>| {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("https://localhost{path}"))
            .header("content-type", "application/json")
            .body(())
            .unwrap();
        let body = body.map(str::to_owned);
        let mut client = client.clone();
        async move {
            let (response, mut sending) = client.send_request(request, body.is_none()).unwrap();
            if let Some(body) = body {
                sending.send_data(body.into(), true).unwrap();
            }
            let response = timeout(PATIENCE, response).await.unwrap().unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            assert_eq!(response.version(), http::Version::HTTP_2);
            let mut body = response.into_body();
            let mut bytes = Vec::new();
            while let Some(chunk) = body.data().await {
                let chunk = chunk.unwrap();
                let _ = body.flow_control().release_capacity(chunk.len());
                bytes.extend_from_slice(&chunk);
            }
            (status, headers, String::from_utf8(bytes).unwrap())
        }
    };
    let (status, headers, body) =
        send("POST", "/api/users", Some("{\"name\":\"Ada\",\"email\":\"ada@example.com\"}")).await;
    assert_eq!(status, 201, "{body}");
    assert!(headers["ratelimit"].to_str().unwrap().starts_with("\"default\";r="));
    let (status, headers, body) = send("GET", "/nope", None).await;
    assert_eq!(
        (status, headers["content-type"].to_str().unwrap()),
        (404, "application/problem+json"),
        "{body}"
    );
    let large = "x".repeat(70_000);
    // Larger than the first window: sent as flow control allows, and refused.
    assert_eq!(send("POST", "/api/users", Some(&large)).await.0, 413);
    let many = (0..100).map(|_| send("GET", "/api/users/1", None));
    let responses = futures_util::future::join_all(many).await;
    assert!(responses.iter().all(|(status, ..)| *status == 200));
    let ids: HashSet<_> = responses.iter().map(|(_, headers, _)| headers["x-request-id"].clone()).collect();
    assert_eq!(ids.len(), 100, "one request each");
    drop(client);
    driver.abort();
}

#[tokio::test]
async fn refuses_plaintext_clients() {
    let https = spawn().await;
    let wrong_name = https.connect(&[], "elsewhere.example").await.unwrap_err();
    assert!(wrong_name.to_string().contains("certificate"), "{wrong_name}");
    let mut plain = TcpStream::connect(https.address()).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut response = Vec::new();
    let _ = timeout(PATIENCE, plain.read_to_end(&mut response)).await.expect("closed in time");
    assert!(!response.starts_with(b"HTTP"), "{response:?}");
}

#[tokio::test]
async fn plain_http_1_is_the_default() {
    let app = spawn_with(&roomy(), &[]).await;
    let response = app.get("/health").await;
    assert_eq!((response.status().as_u16(), response.version()), (200, reqwest::Version::HTTP_11));
}
