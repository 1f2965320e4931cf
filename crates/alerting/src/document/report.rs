//! Reports of a rendering: errors, changes, warnings.

/// An error in a file that is to be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}{}: {reason}", line.map(|line| format!(":{line}")).unwrap_or_default(), after_colon(field))]
pub struct ScaleError {
    /// Path as given, or the invalid argument.
    pub file: String,
    /// Line number from 1, if the error is in one line.
    pub line: Option<usize>,
    /// Field such as `route.group_wait`; empty for the whole file.
    pub field: String,
    /// What is wrong and what was expected.
    pub reason: String,
}

fn after_colon(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!(": {field}") }
}

impl ScaleError {
    pub(crate) fn file(file: &str, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, field: String::new(), reason: reason.into() }
    }
}

/// A change of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Path of the file.
    pub file: String,
    /// Field such as `groups[api].rules[HighErrorRate].expr: range`.
    pub field: String,
    /// The old value, or the default that applied instead.
    pub from: String,
    /// The new value.
    pub to: String,
    /// Why the value is not the divided one, if so.
    pub note: Option<String>,
}

/// A warning about a rendering that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Path of the file.
    pub file: String,
    /// The affected field.
    pub field: String,
    /// The problem, and what to do.
    pub reason: String,
}
