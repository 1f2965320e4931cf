//! The phases of a drill: each takes values, returns one, and records events in the log.

pub mod baseline;
pub mod cause;
pub mod deliverable;
pub mod heartbeat;
pub mod inhibition;
pub mod isolation;
pub mod lift;
pub mod observe;
pub mod other_alerts;
pub mod preflight;
pub mod quiet;
pub mod spacing;
pub mod targets;
