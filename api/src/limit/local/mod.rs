//! `governor` as the backend of one process.

pub(super) mod backend;
mod gcra;
