//! Who is let in.

pub mod admin;
pub mod cors;
pub mod keys;
