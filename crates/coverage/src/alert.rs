//! An alert as a rule file or Prometheus has it.

use std::collections::BTreeMap;

/// An alerting rule. Rules of one name are distinguished by their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// `alertname`.
    pub name: String,
    /// Labels the rule sets.
    pub labels: BTreeMap<String, String>,
    /// The file or group it comes from.
    pub origin: String,
}

/// An alert that a unit test expects, by name, and the labels it expects.
pub type Tested = (String, BTreeMap<String, String>);
