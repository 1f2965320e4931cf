//! Clients of the systems under proof: ask, parse, nothing decided here.
//!
//! Every call has a time limit; an error is an error, never an empty answer.

pub mod address;
pub mod alertmanager;
pub mod authorization;
pub mod config;
pub mod gateway;
pub mod http;
pub mod inbox;
pub mod prometheus;
pub mod reason;

pub use crate::config::HttpConfig;

/// A system did not answer, or not as documented.
#[derive(Debug, thiserror::Error)]
#[error("{system} at {url}: {reason}")]
pub struct SystemError {
    /// `Prometheus`, `Alertmanager` or `inbox`.
    pub system: &'static str,
    /// The address asked, without user and password.
    pub url: String,
    /// What went wrong, in words.
    pub reason: String,
}
