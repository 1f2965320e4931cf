//! Clocks, phases and their bounds; no I/O.

pub mod bounds;
pub mod clock;
pub mod path;
pub mod phases;
