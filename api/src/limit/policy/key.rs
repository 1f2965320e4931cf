//! What a policy counts by, and the resulting key of a request.

use super::{
    caller::{Caller, Plan},
    client::ClientKey,
};
use std::{fmt, sync::Arc};

/// One property of a request to count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyPart {
    /// The name of an accepted API key, else the client's address.
    Client,
    /// The client's address, even with an API key; IPv6 by /64.
    Address,
    /// The name of an accepted API key; requests without one are not counted.
    ApiKey,
    /// The plan; all callers without a key share `default`.
    Plan,
    /// The route template.
    Route,
}

impl KeyPart {
    /// Every part with its name in a policy file.
    pub const ALL: [(&'static str, Self); 5] = [
        ("client", Self::Client),
        ("address", Self::Address),
        ("api-key", Self::ApiKey),
        ("plan", Self::Plan),
        ("route", Self::Route),
    ];
}

/// What a policy counts by: one part or several. Never empty, sorted, without duplicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBy(Vec<KeyPart>);

impl Default for KeyBy {
    fn default() -> Self {
        Self(vec![KeyPart::Client])
    }
}

impl KeyBy {
    /// From parts in any order; `None` if there are none.
    pub fn new(parts: impl IntoIterator<Item = KeyPart>) -> Option<Self> {
        let mut parts: Vec<_> = parts.into_iter().collect();
        parts.sort_unstable();
        parts.dedup();
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[KeyPart] {
        &self.0
    }

    /// The key of a request; `None` when it lacks a part, so the policy does not apply.
    pub fn of(&self, route: &'static str, caller: &Caller) -> Option<Key> {
        let part = |part: &KeyPart| match part {
            KeyPart::Client => Some(Key::Client(caller.key.clone())),
            KeyPart::Address => Some(Key::Client(ClientKey::of(caller.address))),
            KeyPart::ApiKey => {
                matches!(caller.key, ClientKey::Key(_)).then(|| Key::Client(caller.key.clone()))
            }
            KeyPart::Plan => Some(Key::Plan(caller.plan.clone())),
            KeyPart::Route => Some(Key::Route(route)),
        };
        match &self.0[..] {
            [only] => part(only),
            several => several.iter().map(part).collect::<Option<Arc<[Key]>>>().map(Key::Several),
        }
    }
}

/// The key of a balance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// One client.
    Client(ClientKey),
    /// All callers of a plan.
    Plan(Plan),
    /// All requests of a route.
    Route(&'static str),
    /// Several parts, in the order of [`KeyPart`].
    Several(Arc<[Key]>),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(client) => write!(f, "{client}"),
            Self::Plan(plan) => write!(f, "plan:{}", plan.name()),
            Self::Route(route) => write!(f, "route:{route}"),
            Self::Several(keys) => {
                for (index, key) in keys.iter().enumerate() {
                    write!(f, "{}{key}", if index == 0 { "" } else { "|" })?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_consist_of_their_parts() {
        use KeyPart::*;
        let address = Some("192.0.2.1".parse().unwrap());
        let anybody = Caller::by_address(address);
        let holder = Caller {
            key: ClientKey::Key("shop".into()),
            plan: crate::limit::Plan::Policy("gold".into()),
            address,
        };
        for (parts, of_anybody, of_holder) in [
            (&[Client][..], Some("192.0.2.1"), "key:shop"),
            (&[Address], Some("192.0.2.1"), "192.0.2.1"),
            (&[ApiKey], None, "key:shop"),
            (&[Plan], Some("plan:default"), "plan:gold"),
            (&[Route], Some("route:/api/users/{id}"), "route:/api/users/{id}"),
            (&[Route, Client], Some("192.0.2.1|route:/api/users/{id}"), "key:shop|route:/api/users/{id}"),
            (&[Route, ApiKey], None, "key:shop|route:/api/users/{id}"),
        ] {
            let by = KeyBy::new(parts.iter().copied()).unwrap();
            let text = |caller| by.of("/api/users/{id}", caller).map(|key| key.to_string());
            assert_eq!(text(&anybody).as_deref(), of_anybody, "{parts:?}");
            assert_eq!(text(&holder).as_deref(), Some(of_holder), "{parts:?}");
        }
        assert_eq!(KeyBy::new([]), None);
        assert_eq!(KeyBy::new([Route, Client, Route]).unwrap().parts(), [Client, Route]);
        // Hundreds of thousands may be held, so a key is four words.
        assert!(size_of::<Key>() <= 32, "{}", size_of::<Key>());
    }
}
