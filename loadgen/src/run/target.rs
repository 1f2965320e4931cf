//! Where the load goes: an `http://` URL, its addresses, its `Host` header.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

use url::{Host, Url};

/// How long a name may take to resolve.
pub const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

/// Why a target cannot be used; each names the input and the way out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TargetError {
    /// Not a URL with a host.
    #[error("`{0}` is not a URL: expected http://HOST:PORT/PATH, such as http://127.0.0.1:8000/api/users")]
    NotUrl(String),
    /// TLS is not spoken.
    #[error("`{0}`: https:// targets are not supported; use http://")]
    Https(String),
    /// User and password in the URL.
    #[error("`{0}` holds a user or password: give them as -H 'Authorization: Basic …' instead")]
    Credentials(String),
    /// The name has no address.
    #[error("cannot resolve `{host}`: {reason}; check the name, or give an IP address")]
    Unresolvable {
        /// The host as given.
        host: String,
        /// What the resolver said.
        reason: String,
    },
}

/// A target that was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As given, without fragment.
    pub url: Url,
    /// Every address of the host, in the resolver's order; at least one.
    pub addresses: Vec<SocketAddr>,
}

impl Target {
    /// Reads a URL; see [`check`].
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
        check(url)?;
        let port = url.port_or_known_default().unwrap_or(80);
        let addresses = match url.host() {
            None => return Err(TargetError::NotUrl(url.to_string())),
            Some(Host::Ipv4(ip)) => vec![SocketAddr::new(IpAddr::V4(ip), port)],
            Some(Host::Ipv6(ip)) => vec![SocketAddr::new(IpAddr::V6(ip), port)],
            Some(Host::Domain(name)) => look_up(name, port)?,
        };
        let mut url = url.clone();
        url.set_fragment(None);
        Ok(Self { url, addresses })
    }

    /// The `Host` header: the port only when it is not 80.
    #[must_use]
    pub fn host_header(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Path and query as they go into a request line.
    #[must_use]
    pub fn path(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// Scheme, host and port, for people: `http://127.0.0.1:8000`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.host_header())
    }
}

fn check(url: &Url) -> Result<(), TargetError> {
    match url.scheme() {
        "http" if !url.username().is_empty() || url.password().is_some() => {
            Err(TargetError::Credentials(format!("http://…@{}", url.host_str().unwrap_or_default())))
        }
        "http" => Ok(()),
        "https" => Err(TargetError::Https(url.to_string())),
        _ => Err(TargetError::NotUrl(url.to_string())),
    }
}

/// Resolvers block and may take minutes; the thread is left behind when it does.
fn look_up(name: &str, port: u16) -> Result<Vec<SocketAddr>, TargetError> {
    let unresolvable = |reason: String| TargetError::Unresolvable { host: name.to_owned(), reason };
    let (answer, answered) = mpsc::channel();
    let question = (name.to_owned(), port);
    std::thread::Builder::new()
        .name("resolve".to_owned())
        .spawn(move || {
            let found = question.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
            let _ = answer.send(found); // nobody listens any more when the limit has passed
        })
        .map_err(|error| unresolvable(error.to_string()))?;
    match answered.recv_timeout(RESOLVE_LIMIT) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(unresolvable("it has no address".to_owned())),
        Ok(Err(error)) => Err(unresolvable(error.to_string())),
        Err(_) => Err(unresolvable(format!("no answer within {} s", RESOLVE_LIMIT.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_host_and_path() {
        for (text, address, host, path) in [
            ("http://127.0.0.1:8000", "127.0.0.1:8000", "127.0.0.1:8000", "/"),
            ("http://127.0.0.1/a?b=1#c", "127.0.0.1:80", "127.0.0.1", "/a?b=1"),
            ("http://[::1]:81/x", "[::1]:81", "[::1]:81", "/x"),
        ] {
            let target = Target::resolve(&Target::parse(text).unwrap()).unwrap();
            assert_eq!(target.addresses, [address.parse().unwrap()], "{text}");
            assert_eq!((target.host_header().as_str(), target.path().as_str()), (host, path), "{text}");
        }
    }

    #[test]
    fn refusals_name_the_input_and_the_way_out() {
        for (text, remedy) in [
            ("localhost:8000", "http://HOST:PORT"),
            ("127.0.0.1:8000", "http://HOST:PORT"),
            ("", "http://HOST:PORT"),
            ("ftp://a.example/", "http://HOST:PORT"),
            ("https://a.example/", "use http://"),
            ("http://me:secret@a.example/", "-H 'Authorization"),
        ] {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(error.contains(remedy), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_name_that_does_not_exist_is_said_within_the_limit() {
        let url = Target::parse("http://no-such-host.invalid/").unwrap();
        let error = Target::resolve(&url).unwrap_err().to_string();
        assert!(error.contains("no-such-host.invalid"), "{error}");
    }
}
