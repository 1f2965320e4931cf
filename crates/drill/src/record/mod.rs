//! One drill's append-only log, and what it comes to.

pub mod case;
pub mod event;
pub mod expectation;
pub mod judgement;
pub mod log;
pub mod observations;
pub mod stage;
