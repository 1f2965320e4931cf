//! From what was seen to a verdict; no I/O.

pub mod diagnosis;
pub mod verdict;
