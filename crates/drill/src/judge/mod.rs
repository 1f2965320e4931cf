//! Derives the verdict from the observations, without I/O.

pub mod contradiction;
pub mod diagnosis;
#[cfg(test)]
pub(crate) mod fixture;
pub mod verdict;
