/// Which backend decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Redis, shared by all gateways.
    Redis,
    /// This process, from a cached refusal of Redis.
    Cached,
    /// This process.
    Local,
    /// None: Redis is away, and the policy's `without_redis` decides.
    None,
}

impl Backend {
    /// Every backend, in order.
    pub const ALL: [Self; 4] = [Self::Redis, Self::Cached, Self::Local, Self::None];

    /// The `backend` label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Cached => "cached",
            Self::Local => "local",
            Self::None => "none",
        }
    }
}
