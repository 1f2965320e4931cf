//! `api healthcheck`: the health probe of the container, so that its image needs no other program.

use crate::config::{Config, SettingError};
use anyhow::anyhow;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use ureq::{Agent, tls::TlsConfig};
use url::{Host, Url};

/// Timeout of a check, from connect to status line.
const LIMIT: Duration = Duration::from_secs(2);

/// Arguments of `api healthcheck`.
#[derive(Debug, clap::Args)]
pub struct Healthcheck {
    /// URL to check [default: /readyz at LISTEN]; https only on this machine, because certificates are not verified
    #[arg(long, value_name = "URL", value_parser = target)]
    pub url: Option<Url>,
}

impl Healthcheck {
    /// Sends the request and blocks until a response or the timeout. `Ok` for a 2xx status.
    ///
    /// # Errors
    /// One line: the URL and what happened.
    pub fn run(&self, config: &Config) -> anyhow::Result<()> {
        let url = self.url.clone().map_or_else(|| of_config(config), Ok)?;
        let response =
            agent().get(url.as_str()).call().map_err(|error| anyhow!("{url}: {}", reason(&error)))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(anyhow!("{url}: status {}", status.as_u16())),
        }
    }
}

/// `/readyz` of the public listener; on the loopback address if it listens on every address.
fn of_config(config: &Config) -> Result<Url, SettingError> {
    let scheme = if config.tls.files()?.is_some() { "https" } else { "http" };
    let listen = config.server.listen;
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let address = SocketAddr::new(ip, listen.port());
    Ok(format!("{scheme}://{address}/readyz").parse().expect("a socket address is valid in a URL"))
}

fn target(text: &str) -> Result<Url, String> {
    let expected = "expected a URL such as http://127.0.0.1:8000/readyz";
    let url: Url = text.parse().map_err(|_| expected)?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(expected.to_owned()),
    };
    match url.scheme() {
        "http" => Ok(url),
        "https" if local => Ok(url),
        "https" => Err(
            "https is only supported for this machine, because certificates are not verified; use 127.0.0.1"
                .to_owned(),
        ),
        _ => Err(expected.to_owned()),
    }
}

/// A client that accepts any certificate: the gateway's certificate names its public address, not the loopback address,
/// and verification between two processes of one machine has no benefit.
fn agent() -> Agent {
    let tls = TlsConfig::builder()
        .disable_verification(true)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = Agent::config_builder()
        .timeout_global(Some(LIMIT))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent("api-healthcheck")
        .tls_config(tls.build());
    config.build().into()
}

fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("no response within {} s", LIMIT.as_secs()),
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            format!("cannot connect ({error})")
        }
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => format!("cannot connect ({error})"),
        other => format!("no response ({other})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn the_default_url_follows_the_settings() {
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
    fn parses_urls_strictly() {
        for (url, read) in [
            ("http://example.org", Some("http://example.org/")),
            ("https://localhost:8443/livez?x", Some("https://localhost:8443/livez?x")),
            ("https://[::1]/", Some("https://[::1]/")),
            ("https://example.org/", None),
            ("ftp://localhost/", None),
            ("localhost:8000", None),
            ("", None),
        ] {
            assert_eq!(target(url).ok().map(|target| target.to_string()).as_deref(), read, "{url}");
        }
    }
}
