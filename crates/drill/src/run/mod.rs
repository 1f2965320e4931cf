//! The phases of a drill.

pub mod baseline;
pub mod bystanders;
pub mod controls;
pub mod deliverable;
pub mod heartbeat;
pub mod inhibition;
pub mod isolation;
pub mod lift;
pub mod preflight;
pub mod quiet;
mod sequence;
pub use sequence::*;
