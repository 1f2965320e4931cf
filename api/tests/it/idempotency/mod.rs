//! `Idempotency-Key`: a request sent twice is done once.

pub mod bounds;
#[cfg(feature = "inference")]
pub mod inference;
pub mod keys;
