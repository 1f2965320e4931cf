use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

/// The client that requests are counted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 network of 64 bits, because one subscriber has that many addresses.
    V6(u64),
    /// The name of an accepted API key.
    Key(Arc<str>),
    /// Without a known address.
    Unknown,
}

impl ClientKey {
    /// The key of a peer address; an IPv4-mapped IPv6 address counts as IPv4.
    pub fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => Self::V4(address),
            Some(IpAddr::V6(address)) => Self::V6((address.to_bits() >> 64) as u64),
            None => Self::Unknown,
        }
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => write!(f, "{address}"),
            Self::V6(network) => write!(f, "{}/64", Ipv6Addr::from_bits(u128::from(*network) << 64)),
            // No address contains a k, so the name of a key can never equal an address.
            Self::Key(name) => write!(f, "key:{name}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Whether the name of a policy or API key is 1 to 64 letters, digits, `-`, `_` or `.`: it appears in Redis keys.
pub(crate) fn name_is_clean(name: &str) -> bool {
    let clean = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&name.len()) && name.chars().all(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_network() {
        for (address, key) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
        ] {
            assert_eq!(ClientKey::of(Some(address.parse().unwrap())).to_string(), key);
        }
        assert_eq!(ClientKey::Key("192.0.2.1".into()).to_string(), "key:192.0.2.1");
        assert_eq!(ClientKey::of(None).to_string(), "unknown");
    }
}
