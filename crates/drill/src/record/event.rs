//! What happened in a drill.

use jiff::Timestamp;
use serde::Serialize;

/// Something that happened, with the instant its witness gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub what: String,
}

/// An alert or notification that nothing in the drill explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Surprise {
    /// When it fired or arrived.
    pub at: Timestamp,
    /// The alert.
    pub alert: String,
    /// How it was noticed: `fired`, or `arrived at webhook`.
    pub how: String,
    /// Whether the drill says that it stays silent.
    pub named_silent: bool,
}
