//! The append-only log of a drill and the state derived from it.

pub mod case;
pub mod event;
pub mod expectation;
pub mod judgement;
pub mod log;
pub mod observations;
pub mod stage;
