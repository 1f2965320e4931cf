//! `loadgen run`.

pub mod args;
pub mod command;
mod error;
mod resolve;
mod watch;
