/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Redis, shared by all gateways.
    Redis,
    /// This process, by what an earlier answer of Redis proved.
    Cached,
    /// This process.
    Local,
    /// Nobody: Redis is away, and the policy says what happens then.
    None,
}

impl Backend {
    /// Every one, in order.
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
