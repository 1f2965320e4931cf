//! A violation of a rule and its place.

use std::fmt;

/// A violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name in the linter's documentation.
    pub rule: &'static str,
    /// Title of the dashboard.
    pub dashboard: String,
    /// Title of the panel; empty if it is about the dashboard.
    pub panel: String,
    /// Index of the panel's query.
    pub target: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.dashboard)?;
        if !self.panel.is_empty() {
            write!(f, " / {}", self.panel)?;
        }
        if let Some(target) = self.target {
            write!(f, " / query {target}")?;
        }
        write!(f, ": {}", self.message)
    }
}
