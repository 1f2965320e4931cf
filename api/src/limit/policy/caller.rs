use super::client::ClientKey;
use std::{net::IpAddr, sync::Arc};

/// Who sends a request, and what they were granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose requests theirs are counted with.
    pub key: ClientKey,
    /// Which policies apply to them.
    pub plan: Plan,
    /// The client's address, where one is known.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// Somebody without a key.
    pub fn by_address(address: Option<IpAddr>) -> Self {
        Self { key: ClientKey::of(address), plan: Plan::Default, address }
    }
}

/// What an API key grants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Plan {
    /// What everybody has.
    Default,
    /// This policy, one with `plan = true`, in place of the one named [`Plan::DEFAULT`].
    Policy(Arc<str>),
    /// No limit at all.
    Unlimited,
}

impl Plan {
    /// The name of the policy that a plan replaces, and of the plan that replaces nothing.
    pub const DEFAULT: &'static str = "default";
    /// The name of the plan without limits; no policy may have it.
    pub const UNLIMITED: &'static str = "unlimited";

    /// The plan's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Default => Self::DEFAULT,
            Self::Policy(name) => name,
            Self::Unlimited => Self::UNLIMITED,
        }
    }
}
