//! Verdicts.

use serde::Serialize;

/// The result of a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Every phase happened within its bound and its objective.
    Proven,
    /// A phase happened after its bound or after the drill's objective.
    Late,
    /// A phase did not happen.
    Missed,
    /// There was an alert or notification that nothing in the drill explains.
    Unexpected,
    /// The drill was not observed well enough for a verdict.
    Inconclusive,
    /// The drill could not start.
    Refused,
}

impl Verdict {
    /// The name as printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Proven => "PROVEN",
            Self::Late => "LATE",
            Self::Missed => "MISSED",
            Self::Unexpected => "UNEXPECTED",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Refused => "REFUSED",
        }
    }
}

/// A verdict and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason.
    pub reason: String,
}
