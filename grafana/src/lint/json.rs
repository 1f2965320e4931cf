//! Helpers for reading the rendered JSON.

use serde_json::Value;

/// The panels of a dashboard without its rows.
pub fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    list(dashboard, "panels").filter(|panel| text(panel, "type") != "row")
}

/// The text of a field, or an empty text.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The elements of a field; none if it is not a list.
pub(super) fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}
