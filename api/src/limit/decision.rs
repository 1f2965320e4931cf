//! The limiter's decision about one request.

use super::{backend::Backend, check::CheckResult, policy::definition::Policy, quota::Verdict, rules::Rules};
use std::sync::Arc;

/// The outcome for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Admitted.
    Admitted,
    /// Over the limit: 429.
    Refused,
    /// No backend can decide, and a policy with `without_redis = "closed"` applies: 503.
    Unavailable,
}

/// The outcome for one request, with the results of its policies.
#[derive(Debug)]
pub struct Decision {
    /// The outcome.
    pub outcome: Outcome,
    /// The backend that decided.
    pub backend: Backend,
    /// In file order.
    pub results: Vec<CheckResult>,
    pub(super) rules: Arc<Rules>,
}

impl Decision {
    /// What the client sees: every policy that can refuse, with its verdict.
    pub fn reported(&self) -> impl Iterator<Item = (&Policy, &Verdict)> + Clone {
        let reported = self.results.iter().filter(|result| !result.shadow);
        reported.map(|result| (self.rules.policy(result.policy), &result.verdict))
    }
}
