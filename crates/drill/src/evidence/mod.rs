//! What was observed of an alert, as plain values.

pub mod activation;
pub mod changing;
pub mod count;
pub mod gaps;
pub mod held;
pub mod naming;
pub mod near;
pub mod offset;
pub mod value;
