//! From what was seen to a verdict; no I/O.

pub mod contradiction;
pub mod diagnosis;
#[cfg(test)]
mod fixture;
pub mod verdict;
