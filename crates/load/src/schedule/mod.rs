//! Due times and order of requests. No I/O.

pub mod arrivals;
mod due_times;
pub mod mix;
pub mod pace;
pub use due_times::*;
pub mod segment;
pub mod sparkline;
