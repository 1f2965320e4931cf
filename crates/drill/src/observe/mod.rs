//! Observation of the running systems.

pub mod arrivals;
pub mod counted;
pub mod delivery;
pub mod duplicates;
pub mod gather;
pub mod grouping;
pub mod near;
pub mod offsets;
pub mod restarts;
pub mod settle;
pub mod unexpected;
pub mod watch;
