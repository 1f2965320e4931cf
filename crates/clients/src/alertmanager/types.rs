//! What Alertmanager holds.

use serde::Deserialize;

use crate::prometheus::Labels;

/// An alert as Alertmanager holds it.
#[derive(Debug, Clone)]
pub struct HeldAlert {
    /// Hash of the labels; the same in webhook bodies.
    pub fingerprint: String,
    /// All labels.
    pub labels: Labels,
    /// `active`, `suppressed` or `unprocessed`.
    pub state: String,
    /// Ids of silences covering it.
    pub silenced_by: Vec<String>,
    /// Fingerprints of alerts inhibiting it.
    pub inhibited_by: Vec<String>,
    /// Receivers its routes lead to.
    pub receivers: Vec<String>,
}

/// A silence that is active.
#[derive(Debug, Clone, Deserialize)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Why, as its author wrote.
    pub comment: String,
    /// Label name, value, whether it is a regex, whether it must be equal.
    pub matchers: Vec<Matcher>,
}

/// One label condition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Matcher {
    /// Label name.
    pub name: String,
    /// Value or anchored regular expression.
    pub value: String,
    /// `=~` and `!~`.
    pub is_regex: bool,
    /// `=` and `=~`; false for `!=` and `!~`. Left out by versions that have neither.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}
