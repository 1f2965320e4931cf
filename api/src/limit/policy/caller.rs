use super::client::ClientKey;
use std::{net::IpAddr, sync::Arc};

/// Who sends a request, and their plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The key that their requests are counted under.
    pub key: ClientKey,
    /// The plan, which selects their policies.
    pub plan: Plan,
    /// The client's address, if known.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// A caller without a key.
    pub fn by_address(address: Option<IpAddr>) -> Self {
        Self { key: ClientKey::of(address), plan: Plan::Default, address }
    }
}

/// What an API key grants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Plan {
    /// The policies for everyone.
    Default,
    /// This policy, which has `plan = true`, in place of the one named [`Plan::DEFAULT`].
    Policy(Arc<str>),
    /// No limits.
    Unlimited,
}

impl Plan {
    /// Name of the policy that a plan replaces, and of the plan that replaces nothing.
    pub const DEFAULT: &'static str = "default";
    /// Name of the plan without limits; no policy may have it.
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
