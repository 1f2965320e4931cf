//! TLS, Unix sockets and `--connect-to`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::command::{report_of, stdout};
use crate::server::Server;

/// A self-signed certificate for `name` as a PEM file, and the configuration of a server that uses it.
fn certificate(name: &str, folder: &Path, expired: bool) -> (PathBuf, Arc<ServerConfig>) {
    let (key, params) = (KeyPair::generate().unwrap(), params(name, expired));
    let certificate = params.self_signed(&key).unwrap();
    let file = folder.join("certificate.pem");
    std::fs::write(&file, certificate.pem()).unwrap();
    (file, shown(&certificate, &key))
}

fn params(name: &str, expired: bool) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    if expired {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    params
}

/// The configuration of a server that uses the certificate.
fn shown(certificate: &Certificate, key: &KeyPair) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    Arc::new(config)
}

/// Responds with the request's `Host` as body, until the connection ends.
fn respond(stream: impl Read + Write) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut host = String::new();
        let mut line = String::new();
        loop {
            line.clear();
            if !stream.read_line(&mut line).is_ok_and(|count| count > 0) {
                return;
            }
            if let Some(value) = line.strip_prefix("Host: ") {
                host = value.trim().to_owned();
            }
            if line == "\r\n" {
                break;
            }
        }
        // 200 only for the expected name, so that a wrong `Host` is noticed.
        let status =
            if host.starts_with("shop.example") || host.starts_with("127.0.0.1") { 200 } else { 421 };
        let response = format!("HTTP/1.1 {status} So\r\nContent-Length: {}\r\n\r\n{host}", host.len());
        let stream = stream.get_mut();
        if stream.write_all(response.as_bytes()).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

fn tls_server(config: Arc<ServerConfig>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            std::thread::spawn(move || respond(StreamOwned::new(session, stream)));
        }
    });
    address
}

const SHORT: [&str; 6] = ["-q", "100", "-n", "60", "-c", "4"];

#[test]
fn https_requires_a_certificate_for_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let (file, config) = certificate("shop.example", folder.path(), false);
    let address = tls_server(config);
    let url = "https://shop.example/cart".parse().unwrap();
    let (to, file) = (address.to_string(), file.to_str().unwrap().to_owned());
    let (output, report) = report_of(&url, &[&SHORT[..], &["--connect-to", &to, "--cacert", &file]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert_eq!(
        (&report["statuses"]["200"], &report["target"]),
        (&60.into(), &"https://shop.example/cart".into())
    );
    assert!(report["generator"]["connections_opened"].as_u64().unwrap() <= 4, "connections are reused");

    let elsewhere: url::Url = format!("https://{address}/").parse().unwrap();
    for (more, kind, words) in [
        (&["--cacert", &file][..], "certificate", "60 TLS certificate not accepted"),
        (&[], "certificate", "TLS certificate not accepted"),
    ] {
        let (output, report) = report_of(&elsewhere, &[&SHORT[..], more].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
        assert_eq!(report["errors"][kind], 60, "{}", report["errors"]);
        assert!(stdout(&output).contains(words), "{}", stdout(&output));
    }
    let (output, _) = report_of(&elsewhere, &[&SHORT[..], &["--insecure"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}

#[test]
fn expired_certificate_and_missing_tls_have_their_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let (file, config) = certificate("127.0.0.1", folder.path(), true);
    let url = format!("https://{}/", tls_server(config)).parse().unwrap();
    let (_, report) = report_of(&url, &[&SHORT[..], &["--cacert", file.to_str().unwrap()]].concat());
    assert_eq!(report["errors"], serde_json::json!({"certificate": 60}));
    // The server does not use TLS: it waits for a line that never ends, or responds in plain text.
    let plain = Server::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        crate::server::Then::Close
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let (output, report) = report_of(&url, &[&SHORT[..], &["-k"]].concat());
    assert_eq!(report["errors"], serde_json::json!({"tls": 60}), "{}", stdout(&output));
    drop(plain);
}

#[test]
fn connects_to_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || respond(stream));
        }
    });
    let url = "http://shop.example/".parse().unwrap();
    let socket = ["--unix-socket", path.to_str().unwrap()];
    let (output, report) = report_of(&url, &[&SHORT[..], &socket].concat());
    assert_eq!(
        (output.status.code(), &report["statuses"]["200"]),
        (Some(0), &60.into()),
        "{}",
        stdout(&output)
    );
    let missing = folder.path().join("missing.sock");
    let (output, report) =
        report_of(&url, &[&SHORT[..], &["--unix-socket", missing.to_str().unwrap()]].concat());
    assert_eq!((output.status.code(), &report["errors"]["refused"]), (Some(1), &60.into()));
}

/// A certificate that is its own CA, as made by `openssl req -x509`.
fn own_ca(name: &str, expired: bool) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = params(name, expired);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.self_signed(&key).unwrap(), key)
}

/// The exit code, the errors and the summary (on one line) of a short run.
fn run(url: &str, args: &[&str]) -> (Option<i32>, serde_json::Value, String) {
    let (output, report) = report_of(&url.parse().unwrap(), &[&SHORT[..], args].concat());
    let words = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    (output.status.code(), report["errors"].clone(), words)
}

#[test]
fn cacert_trusts_the_certificate_itself_if_name_and_time_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let file = |certificate: &Certificate| {
        let path = folder.path().join("trusted.pem");
        std::fs::write(&path, certificate.pem()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (good, key) = own_ca("127.0.0.1", false);
    let url = format!("https://{}/", tls_server(shown(&good, &key)));
    let (code, errors, words) = run(&url, &["--cacert", &file(&good)]);
    assert_eq!((code, &errors), (Some(0), &serde_json::json!({})), "{words}");

    let refused = |url: &str, args: &[&str], reason: &str| {
        let (code, errors, words) = run(url, args);
        assert_eq!((code, &errors), (Some(1), &serde_json::json!({"certificate": 60})), "{words}");
        assert!(words.contains("the certificate is not accepted: "), "{words}");
        assert!(
            words.contains(reason) && words.contains("; use --insecure to accept any certificate"),
            "{words}"
        );
    };
    // Another certificate with the same name and another key.
    let (other, _) = own_ca("127.0.0.1", false);
    refused(
        &url,
        &["--cacert", &file(&other)],
        "it is a CA certificate (CA:TRUE), which a server must not present; use --cacert FILE.pem with exactly this",
    );
    refused(&url, &[], "--cacert FILE.pem");
    let (expired, key) = own_ca("127.0.0.1", true);
    let late = format!("https://{}/", tls_server(shown(&expired, &key)));
    refused(&late, &["--cacert", &file(&expired)], "expired on 2002-01-01; renew it");
    let (named, key) = own_ca("shop.example", false);
    let elsewhere = format!("https://{}/", tls_server(shown(&named, &key)));
    let reason = "valid for shop.example, not for 127.0.0.1; use a valid name";
    refused(&elsewhere, &["--cacert", &file(&named)], reason);

    // A certificate signed by an unknown CA is trusted if it is in the file; others of this CA are not.
    let (ca_key, mut ca_params) = (KeyPair::generate().unwrap(), params("ca.example", false));
    ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca_params.distinguished_name.push(DnType::CommonName, "a CA");
    let ca = ca_params.self_signed(&ca_key).unwrap();
    let issuer = Issuer::from_params(&ca_params, &ca_key);
    let [signed, second] = ["one", "two"].map(|name| {
        let (key, mut params) = (KeyPair::generate().unwrap(), params("127.0.0.1", false));
        params.distinguished_name.push(DnType::CommonName, name);
        (params.signed_by(&key, &issuer).unwrap(), key)
    });
    let url = format!("https://{}/", tls_server(shown(&signed.0, &signed.1)));
    assert_eq!(run(&url, &["--cacert", &file(&signed.0)]).0, Some(0));
    assert_eq!(run(&url, &["--cacert", &file(&ca)]).0, Some(0));
    refused(&url, &["--cacert", &file(&second.0)], "issuer is not trusted; use --cacert FILE.pem");
}

/// A TLS server that closes its connections without close_notify after one response.
fn rude(config: Arc<ServerConfig>, response: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(response.as_bytes()).and_then(|()| stream.flush());
            });
        }
    });
    url
}

#[test]
fn response_without_close_notify_counts_as_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, config) = certificate("127.0.0.1", folder.path(), false);
    let trusted = ["--cacert", file.to_str().unwrap()];
    let url = rude(Arc::clone(&config), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
    let (code, errors, words) = run(&url, &trusted);
    assert_eq!((code, errors), (Some(1), serde_json::json!({"closed": 60})), "{words}");
    assert!(words.contains("60 closed before the response was complete"), "{words}");
    assert!(words.contains("only when the server sends close_notify before it closes"), "{words}");
    let url = rude(config, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    let (code, errors, words) = run(&url, &trusted);
    assert_eq!((code, errors), (Some(0), serde_json::json!({})), "{words}");
    assert!(!words.contains("close_notify"), "{words}");
}
