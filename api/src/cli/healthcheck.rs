//! `api healthcheck`: the container's health probe, with no program beside this one in the image.

use crate::config::{Config, SettingError};
use actix_web::http::Uri;
use anyhow::{Context, anyhow};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longest a check may take, from connect to status line.
const LIMIT: Duration = Duration::from_secs(2);

/// What `api healthcheck` takes.
#[derive(Debug, clap::Args)]
pub struct Healthcheck {
    /// What to ask instead of /readyz of LISTEN; https only on this machine, where no certificate is checked
    #[arg(long, value_name = "URL", value_parser = target)]
    pub url: Option<Target>,
}

/// What to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    tls: bool,
    host: String,
    port: u16,
    path: String,
}

impl Healthcheck {
    /// Asks. `Ok` when the answer is 2xx.
    ///
    /// # Errors
    /// One line: what was asked and what came of it.
    pub async fn run(&self, config: &Config) -> anyhow::Result<()> {
        let target = match &self.url {
            Some(url) => url.clone(),
            None => of_config(config)?,
        };
        let outcome = timeout(LIMIT, target.status()).await;
        let outcome = outcome.unwrap_or_else(|_| Err(anyhow!("no answer within {} s", LIMIT.as_secs())));
        match outcome.map_err(|reason| anyhow!("{target}: {reason}"))? {
            200..=299 => Ok(()),
            status => Err(anyhow!("{target}: answered {status}")),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.path)
    }
}

/// `/readyz` of the public listener; where it listens on every address, of the loopback one.
fn of_config(config: &Config) -> Result<Target, SettingError> {
    let tls = config.tls.files()?.is_some();
    let ip = match config.server.listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
    Ok(Target { tls, host, port: config.server.listen.port(), path: "/readyz".to_owned() })
}

fn target(text: &str) -> Result<Target, String> {
    let expected = || "expected such as http://127.0.0.1:8000/readyz".to_owned();
    let uri: Uri = text.trim().parse().map_err(|_| expected())?;
    let tls = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(expected()),
    };
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(expected)?.to_owned();
    let bare = host.trim_matches(['[', ']']);
    let local = bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if tls && !local {
        return Err(
            "https is asked of this machine only, as no certificate is checked; use 127.0.0.1".to_owned()
        );
    }
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    Ok(Target { tls, host, port, path })
}

impl Target {
    async fn status(&self) -> anyhow::Result<u16> {
        let bare = self.host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((bare, self.port))
            .await
            .map_err(|error| anyhow!("cannot connect ({error})"))?;
        if !self.tls {
            return self.ask(stream).await;
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| anyhow!("is no server name"))?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(unchecked()));
        let stream = connector.connect(name, stream).await.map_err(|error| anyhow!("no TLS ({error})"))?;
        self.ask(stream).await
    }

    async fn ask(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> anyhow::Result<u16> {
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: api-healthcheck\r\nConnection: close\r\n\r\n",
            self.path, self.host, self.port
        );
        stream.write_all(request.as_bytes()).await.map_err(|error| anyhow!("cannot send ({error})"))?;
        // "HTTP/1.1 200" is all that is wanted.
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.map_err(|error| anyhow!("no answer ({error})"))?;
        let status = std::str::from_utf8(&start).ok().filter(|text| text.starts_with("HTTP/1."));
        let status = status.and_then(|text| text[9..].parse().ok());
        status.context("what answers does not speak HTTP")
    }
}

/// TLS that takes any certificate: the gateway's own names the outside, not the loopback address, and between two
/// processes of one machine it proves nothing.
fn unchecked() -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth()
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn the_target_follows_the_settings() {
        for (args, url) in [
            (&["--listen", "127.0.0.1:8000"][..], "http://127.0.0.1:8000/readyz"),
            (&["--listen", "0.0.0.0:81"], "http://127.0.0.1:81/readyz"),
            (&["--listen", "[::]:81"], "http://[::1]:81/readyz"),
            (&["--listen", "10.0.0.7:81", "--tls-cert", "c", "--tls-key", "k"], "https://10.0.0.7:81/readyz"),
        ] {
            let config = Config::try_parse_from([&["api"], args].concat()).unwrap();
            assert_eq!(of_config(&config).unwrap().to_string(), url);
        }
    }

    #[test]
    fn urls_are_read_strictly() {
        for (url, read) in [
            ("http://example.org", Some("http://example.org:80/")),
            ("https://localhost:8443/livez?x", Some("https://localhost:8443/livez?x")),
            ("https://[::1]/", Some("https://[::1]:443/")),
            ("https://example.org/", None),
            ("ftp://localhost/", None),
            ("localhost:8000", None),
            ("", None),
        ] {
            assert_eq!(target(url).ok().map(|target| target.to_string()).as_deref(), read, "{url}");
        }
    }
}
