//! Other ways to a target: TLS, Unix sockets, another address.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::command::{report_of, stdout};
use crate::server::Server;

/// A certificate of its own for `name`, as a PEM file, and the configuration of a server that shows it.
fn certificate(name: &str, folder: &Path, expired: bool) -> (PathBuf, Arc<ServerConfig>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    if expired {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let certificate = params.self_signed(&key).unwrap();
    let file = folder.join("certificate.pem");
    std::fs::write(&file, certificate.pem()).unwrap();
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
    (file, Arc::new(config))
}

/// Answers 200 with the request's `Host` as body, for as long as the test runs.
fn answer(stream: impl Read + Write) {
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
        // 200 only to the name the test asks for, so that the name is seen to arrive.
        let status =
            if host.starts_with("shop.example") || host.starts_with("127.0.0.1") { 200 } else { 421 };
        let answer = format!("HTTP/1.1 {status} So\r\nContent-Length: {}\r\n\r\n{host}", host.len());
        let stream = stream.get_mut();
        if stream.write_all(answer.as_bytes()).and_then(|()| stream.flush()).is_err() {
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
            std::thread::spawn(move || answer(StreamOwned::new(session, stream)));
        }
    });
    address
}

const SHORT: [&str; 6] = ["-q", "300", "-n", "60", "-c", "4"];

#[test]
fn https_is_spoken_to_whom_the_certificate_names() {
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
    assert!(report["generator"]["connections_opened"].as_u64().unwrap() <= 4, "connections are kept");

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
fn an_expired_certificate_and_a_server_without_tls_have_their_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let (file, config) = certificate("127.0.0.1", folder.path(), true);
    let url = format!("https://{}/", tls_server(config)).parse().unwrap();
    let (_, report) = report_of(&url, &[&SHORT[..], &["--cacert", file.to_str().unwrap()]].concat());
    assert_eq!(report["errors"], serde_json::json!({"certificate": 60}));
    // What answers is no TLS: it waits for a line that never ends, or answers in plain text.
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
fn a_unix_socket_is_as_good_as_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
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
