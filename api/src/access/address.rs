//! The client's address: the peer's, unless the peer is a trusted proxy that names its own client.

use ipnet::{IpNet, Ipv4Net};
use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// Networks of proxies whose `X-Forwarded-For` is trusted. None by default: anyone can send that header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// An entry that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid address or network \"{0}\": expected an entry such as 10.0.0.0/8, 192.0.2.7 or fd00::/8")]
pub struct NetworkError(String);

impl TrustedProxies {
    /// Whether no proxy is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the networks contains the address; an IPv4-mapped IPv6 address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(network).collect::<Result<_, _>>().map(Self)
    }
}

fn network(entry: &str) -> Result<IpNet, NetworkError> {
    let parsed = match entry.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => entry.parse::<IpNet>().map_err(|_| NetworkError(entry.to_owned()))?,
    };
    // ::ffff:10.0.0.0/104 means 10.0.0.0/8: addresses are compared as IPv4.
    match (parsed.addr().to_canonical(), parsed.prefix_len()) {
        (IpAddr::V4(address), prefix @ 96..=128) if parsed.addr().is_ipv6() => {
            Ok(Ipv4Net::new(address, prefix - 96).expect("the prefix is 96 to 128").into())
        }
        _ => Ok(parsed),
    }
}

/// Reads `X-Forwarded-For` from right to left, starting at the peer, while the hop is trusted: the first address that
/// is not trusted is the client. An unreadable entry ends the walk at the last valid address, because its sender could
/// have written anything to the left of it.
///
/// `forwarded` are the header's lines in the order received.
pub fn client_address<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted: &TrustedProxies,
) -> IpAddr {
    let mut client = peer.to_canonical();
    let entries = forwarded.rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    for entry in entries {
        if !trusted.contains(client) {
            break;
        }
        match hop(entry) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// One entry: an address, optionally with a port; IPv6 optionally in brackets.
fn hop(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = match bare.parse::<IpAddr>() {
        // Brackets are for IPv6 only.
        Ok(IpAddr::V4(_)) if bare.len() != text.len() => return None,
        Ok(address) => address,
        Err(_) => text.parse::<SocketAddr>().ok()?.ip(),
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn walk(peer: &str, lines: &[&str], trusted: &str) -> String {
        let lines = lines.iter().map(|line| line.as_bytes());
        client_address(peer.parse().unwrap(), lines, &trusted.parse().unwrap()).to_string()
    }

    #[test]
    fn the_first_untrusted_address_from_the_right_is_the_client() {
        const PROXIES: &str = "10.0.0.0/8, 192.0.2.7,fd00::/8";
        for (peer, lines, trusted, client) in [
            // No trusted proxy, or another peer: the header is ignored.
            ("203.0.113.9", &["198.51.100.1"][..], "", "203.0.113.9"),
            ("203.0.113.9", &["198.51.100.1"], PROXIES, "203.0.113.9"),
            ("::ffff:203.0.113.9", &[], "", "203.0.113.9"),
            // One proxy, several, several lines.
            ("10.0.0.1", &[], PROXIES, "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], PROXIES, "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], PROXIES, "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6, 198.51.100.1, 192.0.2.7"], PROXIES, "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1,10.9.9.9", "192.0.2.7"], PROXIES, "198.51.100.1"),
            ("192.0.2.7", &["10.1.1.1, 10.2.2.2"], PROXIES, "10.1.1.1"),
            ("192.0.2.8", &["10.1.1.1"], PROXIES, "192.0.2.8"),
            // Forms of an entry.
            ("10.0.0.1", &["198.51.100.1:4711"], PROXIES, "198.51.100.1"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], PROXIES, "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]"], PROXIES, "2001:db8::1"),
            ("10.0.0.1", &["2001:DB8::1"], PROXIES, "2001:db8::1"),
            ("10.0.0.1", &["\t::ffff:198.51.100.1 "], PROXIES, "198.51.100.1"),
            ("fd00::1", &["198.51.100.1, [::ffff:10.3.3.3]:80"], PROXIES, "198.51.100.1"),
            // An unreadable entry stops the walk at the last valid one.
            ("10.0.0.1", &["198.51.100.1, unknown"], PROXIES, "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, , 10.4.4.4"], PROXIES, "10.4.4.4"),
            ("10.0.0.1", &[""], PROXIES, "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1,"], PROXIES, "10.0.0.1"),
            ("10.0.0.1", &["[198.51.100.1]"], PROXIES, "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1:99999"], PROXIES, "10.0.0.1"),
            ("10.0.0.1", &["198.051.100.1"], PROXIES, "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1", "é"], PROXIES, "10.0.0.1"),
        ] {
            assert_eq!(walk(peer, lines, trusted), client, "{peer} {lines:?} {trusted}");
        }
    }

    #[test]
    fn parses_networks_strictly() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3/8", "10.255.0.1", "11.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.255.0.1", "11.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("::1", "::1", "::2"),
        ] {
            let proxies: TrustedProxies = text.parse().unwrap();
            assert!(proxies.contains(inside.parse().unwrap()), "{text}");
            assert!(!proxies.contains(outside.parse().unwrap()), "{text}");
        }
        for text in ["proxy", "10.0.0.0/33", "10.0.0", "10.0.0.1 10.0.0.2", "*"] {
            let reason = text.parse::<TrustedProxies>().unwrap_err().to_string();
            assert!(reason.contains("10.0.0.0/8"), "{reason}");
        }
        assert_eq!(" , ".parse(), Ok(TrustedProxies::default()));
    }

    proptest! {
        #[test]
        fn never_panics_and_never_overrules_an_untrusted_peer(
            peer in any::<u32>(),
            lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..4),
        ) {
            let peer = IpAddr::V4(peer.into());
            let lines = || lines.iter().map(Vec::as_slice);
            let everyone = "0.0.0.0/0,::/0".parse().unwrap();
            client_address(peer, lines(), &everyone);
            prop_assert_eq!(client_address(peer, lines(), &TrustedProxies::default()), peer);
        }

        #[test]
        fn ignores_what_a_client_prepends(
            claim in "[0-9a-f.:, \\[\\]]{0,40}",
            client in any::<u32>(),
        ) {
            // The client itself is not one of the proxies in 10.0.0.0/8.
            let client = std::net::Ipv4Addr::from(client);
            prop_assume!(client.octets()[0] != 10);
            prop_assert_eq!(walk("10.0.0.1", &[&format!("{claim},{client}, 10.0.0.2")], "10.0.0.0/8"), client.to_string());
        }
    }
}
