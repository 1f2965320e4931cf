//! A valid body, in the form that the history stores.

use serde_json::Value;

use clients::inbox::NotifiedAlert;

/// A valid body.
#[derive(Debug, Clone)]
pub struct Message {
    /// `firing`, `resolved` or `unknown`.
    pub status: &'static str,
    /// The alerts it contains.
    pub alerts: Vec<NotifiedAlert>,
    /// The body as sent.
    pub body: Value,
}

/// Every value of [`Message::status`].
pub const STATUSES: [&str; 3] = [FIRING, RESOLVED, UNKNOWN];
pub(crate) const FIRING: &str = "firing";
pub(crate) const RESOLVED: &str = "resolved";
/// The status of a text without one.
pub const UNKNOWN: &str = "unknown";

/// The real service's response to an invalid body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl From<&str> for Refusal {
    fn from(response: &str) -> Self {
        Self(response.to_owned())
    }
}
