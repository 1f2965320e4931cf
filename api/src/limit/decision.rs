//! What the limiter says about one request.

use super::{backend::Backend, check::CheckResult, policy::definition::Policy, quota::Verdict, rules::Rules};
use std::sync::Arc;

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
    pub answers: Vec<CheckResult>,
    pub(super) rules: Arc<Rules>,
}

impl Decision {
    /// What the client is told: every policy that could refuse, with its verdict.
    pub fn told(&self) -> impl Iterator<Item = (&Policy, &Verdict)> + Clone {
        let told = self.answers.iter().filter(|answer| !answer.shadow);
        told.map(|answer| (self.rules.policy(answer.policy), &answer.verdict))
    }
}
