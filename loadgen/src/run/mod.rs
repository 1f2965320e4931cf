//! `loadgen run`.

pub mod args;
mod command;
mod resolve;
mod watch;
