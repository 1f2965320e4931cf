//! `loadgen run`.

pub mod args;
mod command;
mod error;
mod resolve;
mod watch;
