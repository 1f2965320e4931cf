//! Measurements of a run, in bounded memory.

pub mod collector;
pub mod counters;
pub mod distribution;
mod run;
pub use run::*;
pub mod series;
pub mod window;
