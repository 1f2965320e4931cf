//! A verdict and why.

use serde::Serialize;

/// What a drill comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Everything happened within its bound and its promise.
    Proven,
    /// It happened, past its bound or past the drill's objective.
    Late,
    /// It did not happen.
    Missed,
    /// An alert or notification that nothing in the drill explains.
    Unexpected,
    /// Not observed well enough to say.
    Inconclusive,
    /// It could not begin.
    Refused,
}

impl Verdict {
    /// As printed.
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

/// A verdict and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
}
