//! `Idempotency-Key`: a request sent twice is done once.

#[cfg(feature = "inference")]
pub mod inference;
pub mod keys;
