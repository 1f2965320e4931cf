//! The target of the load: its URL, how to reach it, and its `Host` header.

use crate::error::LoadError;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use url::{Host, Url};

use crate::wire::tls::Tls;
use common::tls::Trust;

/// Time limit for resolving a name.
pub const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

/// Why a target cannot be used. Each message names the input and the fix.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TargetError {
    /// The text is not a URL with a host.
    #[error("`{0}` is not a URL: expected http://HOST:PORT/PATH, such as http://127.0.0.1:8000/api/users")]
    NotUrl(String),
    /// The certificates cannot be loaded, or the host cannot have one.
    #[error("{0}")]
    Tls(LoadError),
    /// The URL contains a user or password.
    #[error("`{0}` contains a user or password: pass them as -H 'Authorization: Basic …' instead")]
    Credentials(String),
    /// The name has no address.
    #[error("cannot resolve `{host}`: {reason}; check the name, or use an IP address")]
    Unresolvable {
        /// The host as given.
        host: String,
        /// The resolver's error.
        reason: String,
    },
}

/// A resolved target.
#[derive(Debug, Clone)]
pub struct Target {
    /// The URL as given, without its fragment.
    pub url: Url,
    /// What to connect to.
    pub route: Route,
    /// TLS setup, for `https://`.
    pub tls: Option<Tls>,
}

/// What to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Every address of the host, in the resolver's order; at least one.
    Addresses(Vec<SocketAddr>),
    /// A Unix socket.
    Unix(PathBuf),
}

/// How a target is reached, if not as its URL says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Connect to this socket instead.
    pub unix_socket: Option<PathBuf>,
    /// Connect to this host and port instead; `Host` and the name in the certificate are still those of the URL.
    pub connect_to: Option<(String, u16)>,
    /// Which certificates are accepted.
    pub trust: Trust,
}

impl Target {
    /// Parses a URL; see [`check`].
    ///
    /// # Errors
    /// See [`TargetError`].
    pub fn parse(text: &str) -> Result<Url, TargetError> {
        let url = Url::parse(text).map_err(|_| TargetError::NotUrl(text.to_owned()))?;
        check(&url)?;
        Ok(url)
    }

    /// Resolves the host, within [`RESOLVE_LIMIT`].
    ///
    /// # Errors
    /// See [`TargetError`].
    pub fn resolve(url: &Url) -> Result<Self, TargetError> {
        Self::by(url, &Access::default())
    }

    /// The same, with another address to connect to.
    ///
    /// # Errors
    /// See [`TargetError`].
    pub fn by(url: &Url, access: &Access) -> Result<Self, TargetError> {
        check(url)?;
        let port = url.port_or_known_default().unwrap_or(80);
        let host = url.host().ok_or_else(|| TargetError::NotUrl(url.to_string()))?;
        let route = match (&access.unix_socket, &access.connect_to) {
            (Some(path), _) => Route::Unix(path.clone()),
            (None, Some((host, port))) => Route::Addresses(look_up(host, *port)?),
            (None, None) => Route::Addresses(match host {
                Host::Ipv4(ip) => vec![SocketAddr::new(IpAddr::V4(ip), port)],
                Host::Ipv6(ip) => vec![SocketAddr::new(IpAddr::V6(ip), port)],
                Host::Domain(name) => look_up(name, port)?,
            }),
        };
        let tls = (url.scheme() == "https")
            .then(|| Tls::to(url.host_str().unwrap_or_default(), &access.trust))
            .transpose()
            .map_err(TargetError::Tls)?;
        let mut url = url.clone();
        url.set_fragment(None);
        Ok(Self { url, route, tls })
    }

    /// The `Host` header; it has the port only when that is not the default of the scheme.
    #[must_use]
    pub fn host_header(&self) -> String {
        self.url.authority().to_owned()
    }

    /// Scheme, host and port, for display: `http://127.0.0.1:8000`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", self.url.scheme(), self.host_header())
    }
}

fn check(url: &Url) -> Result<(), TargetError> {
    match url.scheme() {
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
            let host = url.host_str().unwrap_or_default();
            Err(TargetError::Credentials(format!("{}://…@{host}", url.scheme())))
        }
        "http" | "https" => Ok(()),
        _ => Err(TargetError::NotUrl(url.to_string())),
    }
}

/// Resolvers block and may take minutes; after the time limit the thread is abandoned.
fn look_up(name: &str, port: u16) -> Result<Vec<SocketAddr>, TargetError> {
    let unresolvable = |reason: String| TargetError::Unresolvable { host: name.to_owned(), reason };
    let (sender, receiver) = mpsc::channel();
    let host = (name.to_owned(), port);
    std::thread::Builder::new()
        .name("resolve".to_owned())
        .spawn(move || {
            let found = host.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
            let _ = sender.send(found); // the receiver is gone once the limit has passed
        })
        .map_err(|error| unresolvable(error.to_string()))?;
    match receiver.recv_timeout(RESOLVE_LIMIT) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(unresolvable("the name has no address".to_owned())),
        Ok(Err(error)) => Err(unresolvable(error.to_string())),
        Err(_) => Err(unresolvable(format!("no response within {} s", RESOLVE_LIMIT.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use url::Position;

    use super::*;

    #[test]
    fn addresses_host_and_path() {
        for (text, address, host, path) in [
            ("http://127.0.0.1:8000", "127.0.0.1:8000", "127.0.0.1:8000", "/"),
            ("http://127.0.0.1/a?b=1#c", "127.0.0.1:80", "127.0.0.1", "/a?b=1"),
            ("http://[::1]:81/x", "[::1]:81", "[::1]:81", "/x"),
            ("http://127.0.0.1:443/", "127.0.0.1:443", "127.0.0.1:443", "/"),
        ] {
            let target = Target::resolve(&Target::parse(text).unwrap()).unwrap();
            assert_eq!(target.route, Route::Addresses(vec![address.parse().unwrap()]), "{text}");
            assert_eq!(
                (target.host_header().as_str(), &target.url[Position::BeforePath..Position::AfterQuery]),
                (host, path),
                "{text}"
            );
        }
    }

    #[test]
    fn refusals_name_the_input_and_the_way_out() {
        for (text, remedy) in [
            ("localhost:8000", "http://HOST:PORT"),
            ("127.0.0.1:8000", "http://HOST:PORT"),
            ("", "http://HOST:PORT"),
            ("ftp://a.example/", "http://HOST:PORT"),
            ("http://me:secret@a.example/", "-H 'Authorization"),
            ("https://me:secret@a.example/", "-H 'Authorization"),
        ] {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(error.contains(remedy), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn another_way_there_changes_neither_host_nor_name() {
        let url = Target::parse("https://no-such-host.invalid:8443/").unwrap();
        let trust = Trust::Anyone;
        let by = |access| Target::by(&url, &access).unwrap();
        let elsewhere =
            Access { connect_to: Some(("127.0.0.1".into(), 9)), trust: trust.clone(), ..Access::default() };
        let target = by(elsewhere);
        assert_eq!(target.route, Route::Addresses(vec!["127.0.0.1:9".parse().unwrap()]));
        assert_eq!(target.host_header(), "no-such-host.invalid:8443");
        assert_eq!(target.tls.unwrap().name.to_str(), "no-such-host.invalid");
        let socket = by(Access { unix_socket: Some("/run/a.sock".into()), trust, ..Access::default() });
        assert_eq!(socket.route, Route::Unix("/run/a.sock".into()));
    }

    #[test]
    fn a_name_that_does_not_exist_is_said_within_the_limit() {
        let url = Target::parse("http://no-such-host.invalid/").unwrap();
        let error = Target::resolve(&url).unwrap_err().to_string();
        assert!(error.contains("no-such-host.invalid"), "{error}");
    }
}
