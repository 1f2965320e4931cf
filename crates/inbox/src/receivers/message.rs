//! A body that has the right shape, as the history takes it.

use serde_json::Value;

use clients::inbox::NotifiedAlert;

/// A body that has the right shape.
#[derive(Debug, Clone)]
pub struct Message {
    /// `firing`, `resolved` or `unknown`.
    pub status: &'static str,
    /// The alerts it speaks of.
    pub alerts: Vec<NotifiedAlert>,
    /// The body as sent.
    pub body: Value,
}

/// Every value of [`Message::status`].
pub const STATUSES: [&str; 3] = [FIRING, RESOLVED, UNKNOWN];
pub(crate) const FIRING: &str = "firing";
pub(crate) const RESOLVED: &str = "resolved";
/// A text that does not say.
pub const UNKNOWN: &str = "unknown";

/// The real service's response to a body of another shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl From<&str> for Refusal {
    fn from(response: &str) -> Self {
        Self(response.to_owned())
    }
}
