//! HTTP clients for Prometheus, Alertmanager, the inbox and the gateway's admin listener. They send requests and parse
//! responses, without retries or decisions.
//!
//! Every call has a timeout. A failure is always an error, never an empty result.

#![warn(clippy::disallowed_macros)]

pub mod address;
pub mod alertmanager;
mod authorization;
pub mod backend;
mod body;
mod config;
mod connector;
mod error;
pub mod gateway;
mod headers;
mod http;
pub mod inbox;
mod problem;
mod process;
pub mod prometheus;
mod reason;

pub use crate::config::HttpConfig;
pub use crate::error::{Reason, SystemError};
pub use crate::headers::{Header, HeaderConfig};
pub use common::tls::Identity;
