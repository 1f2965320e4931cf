//! Trace context and exported spans.

pub mod origins;
pub mod spans;
pub mod tls;
