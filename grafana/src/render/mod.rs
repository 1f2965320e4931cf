//! Grafana's classic dashboard JSON, of the schema version that `@grafana/schema` 13 publishes.

mod frame;
mod panels;
pub mod schema;

pub use frame::within_job;
pub use schema::PROMETHEUS_UID;
use serde_json::Value;

use crate::dashboard::Dashboard;

/// The JSON of a dashboard.
#[must_use]
pub fn json(board: &Dashboard) -> Value {
    frame::dashboard(board, panels::all(board))
}

/// The text of the file of a dashboard.
///
/// # Panics
/// Never: the input is a tree of JSON values.
#[must_use]
pub fn text(board: &Dashboard) -> String {
    serde_json::to_string_pretty(&json(board)).expect("JSON values always serialize") + "\n"
}
