//! What the limiter says about one request.

use super::{Answer, Policy, Verdict, rules::Rules};
use std::sync::Arc;

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

/// What becomes of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passes.
    Admitted,
    /// It is one too many: 429.
    Refused,
    /// Nobody can say, and a policy lets nothing pass then: 503.
    Unavailable,
}

/// The outcome for one request, with the answers of the policies that were asked.
#[derive(Debug)]
pub struct Decision {
    /// What becomes of it.
    pub outcome: Outcome,
    /// Who decided.
    pub backend: Backend,
    /// In file order.
    pub answers: Vec<Answer>,
    pub(super) rules: Arc<Rules>,
}

impl Decision {
    /// What the client is told: every policy that could refuse, with its verdict.
    pub fn told(&self) -> impl Iterator<Item = (&Policy, &Verdict)> + Clone {
        let told = self.answers.iter().filter(|answer| !answer.shadow);
        told.map(|answer| (self.rules.policy(answer.policy), &answer.verdict))
    }
}
