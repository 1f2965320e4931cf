//! Shared code of every command: durations, rates, exit codes, console output, signals, TLS trust, listening sockets,
//! allowed host names, random numbers. It does not depend on load, alerts or drills, and parses no arguments.

#![warn(clippy::disallowed_macros)]

pub mod console;
pub mod duration;
mod error;
pub mod exit;
pub mod hangup;
mod net;
pub mod plain_words;
pub mod proof;
pub mod rate;
pub mod rng;
pub mod signals;
pub mod source_error;
pub mod tls;
pub mod yaml;

pub use crate::error::Error;
pub use crate::net::{allowed_hosts, listen};
