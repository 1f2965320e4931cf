//! Access control.

pub mod admin;
pub mod cors;
pub mod keys;
