//! Drill files and suite files, read and checked.

pub mod cause;
pub mod drill;
pub mod fault;
pub mod namesakes;
pub mod objective;
pub mod share;
pub mod suite;
