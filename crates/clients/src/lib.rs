//! HTTP clients of the systems under proof: Prometheus, Alertmanager, the inbox and the gateway's admin listener. They ask
//! and parse; they decide nothing, wait for nothing and try nothing again.
//!
//! Every call has a time limit; an error is an error, never an empty answer.

#![warn(clippy::disallowed_macros)]

pub mod address;
pub mod alertmanager;
mod authorization;
mod config;
mod error;
pub mod gateway;
mod http;
pub mod inbox;
mod process;
pub mod prometheus;
mod reason;

pub use crate::config::HttpConfig;
pub use crate::error::{Reason, SystemError};
