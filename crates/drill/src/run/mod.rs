//! The phases of a drill: each takes values and gives one, and what happens is written to the log.

pub mod baseline;
pub mod bystanders;
pub mod cause;
pub mod deliverable;
pub mod heartbeat;
pub mod inhibition;
pub mod isolation;
pub mod lift;
pub mod observe;
pub mod preflight;
pub mod quiet;
