//! The state of the inbox: history, journal, heartbeat state and failure injection.

pub mod failure;
pub mod heartbeat;
pub mod history;
pub mod journal;
pub mod lease;
pub mod state;
