//! What is said about a rendering: errors, changes, warnings.

/// A file that cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}{}: {reason}", line.map(|line| format!(":{line}")).unwrap_or_default(), after_colon(field))]
pub struct ScaleError {
    /// Path as it came in, or the argument that is wrong.
    pub file: String,
    /// Counted from 1, where one line is to blame.
    pub line: Option<usize>,
    /// Such as `route.group_wait`; empty when the whole file is meant.
    pub field: String,
    /// What is wrong and what was expected.
    pub reason: String,
}

fn after_colon(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!(": {field}") }
}

impl ScaleError {
    pub(crate) fn whole(file: &str, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, field: String::new(), reason: reason.into() }
    }
}

/// One value that became another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub file: String,
    /// Such as `groups[api].rules[HighErrorRate].expr: range`.
    pub field: String,
    /// The old value, or what stood in for it.
    pub from: String,
    /// The new value.
    pub to: String,
    /// Why it is not just divided, where it is not.
    pub note: Option<String>,
}

/// Something to know about a rendering that is otherwise fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub file: String,
    /// The field.
    pub field: String,
    /// What, and what to do.
    pub reason: String,
}
