//! Prometheus behind TLS with authorization: trusted certificates, and no secrets in messages.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const RULES: &str = r#"{"status":"success","data":{"groups":[{"name":"shop","file":"shop.yml","interval":15,"rules":[
  {"state":"inactive","name":"NginxDown","query":"nginx_up == 0","duration":60,"labels":{},"annotations":{},"alerts":[],
   "health":"ok","lastError":"","evaluationTime":0,"lastEvaluation":"2026-05-04T12:00:01Z","type":"alerting"}]}]}}"#;

/// A self-signed certificate for 127.0.0.1 as a PEM file, and the configuration of a server that uses it.
fn certificate(folder: &Path, change: impl FnOnce(&mut CertificateParams)) -> (PathBuf, Arc<ServerConfig>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    change(&mut params);
    let certificate = params.self_signed(&key).unwrap();
    let file = folder.join("certificate.pem");
    std::fs::write(&file, certificate.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (file, Arc::new(config))
}

const NO_SERIES: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;

/// Responds with the rules or with no series to requests with this `Authorization`, and with 401 to others.
fn respond(stream: impl Read + Write, wanted: Option<&str>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut shown, mut line, mut body) = (None, String::new(), RULES);
        while line != "\r\n" {
            line.clear();
            if !stream.read_line(&mut line).is_ok_and(|count| count > 0) {
                return;
            }
            if line.contains("/api/v1/query_range") {
                body = NO_SERIES;
            }
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("authorization")
            {
                shown = Some(value.trim().to_owned());
            }
        }
        let (status, body) = match wanted {
            Some(_) if shown.as_deref() != wanted => ("401 Unauthorized", "Unauthorized\n"),
            _ => ("200 OK", body),
        };
        let response = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let stream = stream.get_mut();
        if stream.write_all(response.as_bytes()).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

/// Starts a server, with TLS if a configuration is given.
fn server(tls: Option<Arc<ServerConfig>>, wanted: Option<&'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = tls.as_ref().map(|tls| ServerConnection::new(Arc::clone(tls)).unwrap());
            std::thread::spawn(move || match session {
                Some(session) => respond(StreamOwned::new(session, stream), wanted),
                None => respond(stream, wanted),
            });
        }
    });
    address
}

/// Runs `loadgen coverage` and returns the exit code and both outputs.
fn fetch(url: &str, more: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(["coverage", "--prometheus", url]).args(more).current_dir(folder.path());
    let output = command.env_remove("CACERT_FILE").env_remove("BEARER_TOKEN_FILE").output().unwrap();
    let message = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&message).into_owned())
}

/// Checks that the alert was read: it lacks a drill, so the exit code is 5.
fn assert_read(response: &(Option<i32>, String)) {
    assert!(response.0 == Some(5) && response.1.contains("NginxDown"), "{response:?}");
}

#[test]
fn certificate_needs_a_trusted_issuer_and_the_right_name() {
    let folder = tempfile::tempdir().unwrap();
    let (file, config) = certificate(folder.path(), |_| ());
    let (address, file) = (server(Some(config), None), file.display().to_string());
    let url = format!("https://{address}");
    assert_read(&fetch(&url, &["--cacert", &file]));

    let localhost = format!("https://localhost:{}", address.port());
    let plain = format!("https://{}", server(None, None));
    for (url, more, message) in [
        (&url, &[][..], "not accepted: issuer is not trusted; use --cacert FILE.pem"),
        (&localhost, &["--cacert", &file], "not for localhost; use a valid name"),
        (
            &plain,
            &["--cacert", &file],
            "during the TLS handshake; if the server has no TLS, use an http:// address",
        ),
        (&url, &["--cacert", "/no/such.pem"], "--cacert /no/such.pem: "),
        (
            &url,
            &["--cacert", "/dev/null"],
            "--cacert /dev/null: contains no certificate; expected a PEM file",
        ),
    ] {
        let (code, text) = fetch(url, more);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(message) && text.contains(&format!("Prometheus at {url}")), "{more:?}: {text}");
    }
}

#[test]
fn rejected_certificate_has_a_reason() {
    let expired = |params: &mut CertificateParams| {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    };
    let authority = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let refused = |config, trusted: &Path, message: &str| {
        let url = format!("https://{}", server(Some(config), None));
        let (code, text) = fetch(&url, &["--cacert", trusted.to_str().unwrap()]);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(&format!("certificate not accepted: {message}")), "{text}");
    };
    let (file, config) = certificate(folders[0].path(), expired);
    refused(config, &file, "expired on 2002-01-01; renew it");
    let (file, config) = certificate(folders[1].path(), authority);
    let (other, _) = certificate(folders[2].path(), |_| ());
    let message = "it is a CA certificate (CA:TRUE), which a server must not present; use --cacert FILE.pem with exactly";
    refused(config.clone(), &other, message);
    let url = format!("https://{}", server(Some(config), None));
    assert_read(&fetch(&url, &["--cacert", file.to_str().unwrap()]));
}

#[test]
fn user_and_password_are_sent_but_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (file, config) = certificate(folder.path(), |_| ());
    // team:fire&drill
    let address = server(Some(config), Some("Basic dGVhbTpmaXJlJmRyaWxs"));
    let file = file.display().to_string();
    let with = |user: &str| fetch(&format!("https://{user}{address}"), &["--cacert", &file]);
    assert_read(&with("team:fire%26drill@"));
    for (user, remedy) in [
        ("", "set user and password in the address"),
        ("team:secret@", "the user or password in the address was rejected"),
    ] {
        let (code, text) = with(user);
        assert_eq!(code, Some(2), "{text}");
        assert!(
            text.contains("responded 401 Unauthorized: Unauthorized; ") && text.contains(remedy),
            "{text}"
        );
        assert!(!text.contains("secret") && text.contains(&format!("at https://{address}/")), "{text}");
    }
    // Errors before any request do not show them either.
    for url in [format!("ftp://team:secret@{address}"), format!("https://team:secret@{address}x")] {
        let (code, text) = fetch(&url, &[]);
        assert_eq!(code, Some(2), "{text}");
        assert!(!text.contains("secret") && text.contains(&format!("…@{address}")), "{text}");
    }
}

#[test]
fn sends_a_bearer_token_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let url = format!("http://{}", server(None, Some("Bearer t0k.en")));
    let shown = token.display().to_string();
    let with = || fetch(&url, &["--bearer-token-file", &shown]);
    let (code, text) = with();
    assert!(
        code == Some(2) && text.contains(&format!("--bearer-token-file {shown}: No such file")),
        "{text}"
    );
    std::fs::write(&token, "t0k.en\n").unwrap();
    assert_read(&with());
    std::fs::write(&token, "stale").unwrap();
    let (code, text) = with();
    assert!(
        code == Some(2) && text.contains(&format!("the token of --bearer-token-file {shown} was rejected")),
        "{text}"
    );
    assert!(!text.contains("stale"), "{text}");
}

#[test]
fn run_fetches_alerts_with_authorization() {
    let folder = tempfile::tempdir().unwrap();
    let (file, config) = certificate(folder.path(), |_| ());
    let target = format!("http://{}", server(None, None));
    let prometheus = server(Some(config), Some("Basic dGVhbTpmaXJlJmRyaWxs"));
    for (password, message) in [("fire%26drill", None), ("secret", Some("responded 401 Unauthorized"))] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
        command.args(["run", &target, "-q", "100", "-n", "5", "--cacert"]).arg(&file);
        command.args(["--alerts-from", &format!("https://team:{password}@{prometheus}")]);
        let output = command.output().unwrap();
        let warned = String::from_utf8_lossy(&output.stderr).into_owned();
        let warning = warned.lines().find(|line| line.starts_with("warning: "));
        assert_eq!(warning.is_some(), message.is_some(), "{warned}");
        assert!(warning.unwrap_or_default().contains(message.unwrap_or_default()), "{warned}");
        assert!(!warned.contains(password), "{warned}");
    }
}
