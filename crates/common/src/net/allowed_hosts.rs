//! Host names under which a server without a login responds. With DNS rebinding, a web page points a name of its own at
//! 127.0.0.1, and the browser then lets it read the server as its own site. The `Host` header still has that name.

use std::net::IpAddr;
use std::str::FromStr;

/// Names that no web page can have pointed at this machine: they are reserved for it (RFC 6761, Docker).
const RESERVED: [&str; 2] = ["localhost", "host.docker.internal"];

/// The allowed names. IP addresses and `localhost` are always allowed, as rebinding needs a name of the attacker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<HostName>);

/// A host name without scheme and port, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

impl FromStr for HostName {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if text.is_empty() || text.len() > 253 || !text.bytes().all(plain) {
            return Err(crate::Error::HostName(text.to_owned()));
        }
        Ok(Self(without_root(text).to_ascii_lowercase()))
    }
}

impl AllowedHosts {
    /// These names, beside those that are always allowed.
    #[must_use]
    pub fn new(names: Vec<HostName>) -> Self {
        Self(names)
    }

    /// Whether the value of a `Host` header is allowed, with any port.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        let Some(name) = name(host) else { return false };
        let name = without_root(name).to_ascii_lowercase();
        name.parse::<IpAddr>().is_ok()
            || name.ends_with(".localhost")
            || RESERVED.contains(&name.as_str())
            || self.0.iter().any(|allowed| allowed.0 == name)
    }

    /// Whether a web page of `origin`, an `Origin` header, belongs to the server at `host`, a `Host` header.
    #[must_use]
    pub fn is_own(&self, origin: &str, host: &str) -> bool {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        self.allow(host) && authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    }
}

/// The host without its port; `None` if the port is malformed.
fn name(host: &str) -> Option<&str> {
    let port = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = host.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let is_v6 = address.parse::<std::net::Ipv6Addr>().is_ok();
        return (is_v6 && rest.strip_prefix(':').map_or(rest.is_empty(), port)).then_some(address);
    }
    match host.split_once(':') {
        Some((name, rest)) => port(rest).then_some(name),
        None => Some(host),
    }
}

/// `a.example.` is the same name as `a.example`.
fn without_root(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> AllowedHosts {
        AllowedHosts::new(vec!["inbox".parse().unwrap(), "Inbox.Example.COM.".parse().unwrap()])
    }

    #[test]
    fn allows_addresses_localhost_and_the_given_names() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8025",
            "192.0.2.7:80",
            "[::1]",
            "[::1]:8025",
            "localhost:8025",
            "LOCALHOST.",
            "a.localhost:1",
            "host.docker.internal:8025",
            "inbox:8025",
            "INBOX",
            "inbox.example.com:8025",
        ] {
            assert!(hosts().allow(host), "{host}");
        }
        for host in [
            "",
            "rebound.example",
            "rebound.example:8025",
            "127.0.0.1.rebound.example",
            "localhost.rebound.example",
            "notlocalhost",
            "a.inbox.example.com",
            "127.0.0.1:80@rebound.example",
            "127.0.0.1:x",
            "[::1",
            "[rebound.example]",
            "[::1]rebound.example",
            "::1",
        ] {
            assert!(!hosts().allow(host), "{host}");
        }
        assert!(!AllowedHosts::default().allow("inbox"));
    }

    #[test]
    fn a_page_is_its_own_only_with_the_same_host_and_port() {
        for (origin, host, own) in [
            ("http://127.0.0.1:8025", "127.0.0.1:8025", true),
            ("https://inbox.example.com", "inbox.example.com", true),
            ("http://127.0.0.1:3000", "127.0.0.1:8025", false),
            ("http://localhost:8025", "127.0.0.1:8025", false),
            ("https://evil.example", "127.0.0.1:8025", false),
            ("http://evil.example:8025", "evil.example:8025", false),
            ("null", "127.0.0.1:8025", false),
            ("", "", false),
        ] {
            assert_eq!(hosts().is_own(origin, host), own, "{origin} {host}");
        }
    }

    #[test]
    fn rejects_names_with_a_scheme_or_a_port() {
        for text in ["", "http://inbox", "inbox:8025", "a b", "*"] {
            let error = text.parse::<HostName>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{text}`")) && error.contains("without scheme and port"),
                "{error}"
            );
        }
    }
}
