//! Types of Alertmanager's API.

use serde::Deserialize;

use crate::prometheus::Labels;

/// An alert in Alertmanager.
#[derive(Debug, Clone)]
pub struct HeldAlert {
    /// Hash of the labels, as in webhook bodies.
    pub fingerprint: String,
    /// All labels.
    pub labels: Labels,
    /// `active`, `suppressed` or `unprocessed`.
    pub state: String,
    /// IDs of the silences that match it.
    pub silenced_by: Vec<String>,
    /// Fingerprints of the alerts that inhibit it.
    pub inhibited_by: Vec<String>,
    /// Receivers of its routes.
    pub receivers: Vec<String>,
}

/// The Alertmanagers that notify together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Number of members, this one included; 1 without clustering.
    pub members: u32,
    /// Whether it still waits to find the other members, during which it sends nothing.
    pub settling: bool,
}

/// An active silence.
#[derive(Debug, Clone, Deserialize)]
pub struct Silence {
    /// Its ID.
    pub id: String,
    /// The comment of its author.
    pub comment: String,
    /// Its matchers.
    pub matchers: Vec<Matcher>,
}

/// A label matcher.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Matcher {
    /// Label name.
    pub name: String,
    /// Value or anchored regular expression.
    pub value: String,
    /// True for `=~` and `!~`.
    pub is_regex: bool,
    /// True for `=` and `=~`. Missing in versions without `!=` and `!~`.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}
