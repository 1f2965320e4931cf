//! Access control.

pub mod admin;
pub mod cors;
pub mod gate;
pub mod keys;
pub mod reload;
