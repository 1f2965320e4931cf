//! `governor` as the backend within one process.

pub(super) mod backend;
mod gcra;
