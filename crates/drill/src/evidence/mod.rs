//! What was seen of an alert, as values.

pub mod activation;
pub mod gaps;
pub mod naming;
