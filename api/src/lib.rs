//! The gateway as a library: the binary in `main.rs` and the tests both call [`Gateway::prepare`] and
//! [`Gateway::serve`], passing the listener and the shutdown signal, so a test can bind port 0.
//!
//! Modules are in the order in which a request passes them: listener, middleware, access, rate limit, fault, handler,
//! pipeline, store. The admin listener is separate.

#![warn(clippy::disallowed_macros)]

pub mod cli;
pub mod config;
pub mod file_limit;
pub mod listen;
pub mod telemetry;

pub mod reload;
pub mod server;
mod state;

pub mod middleware;
mod request;

pub mod access;
pub mod limit;

pub mod fault;

pub mod bytes;
mod fresh;
pub mod handlers;
mod json;
mod openapi;
mod orders;
mod pem;
pub mod problem;
pub mod shares;
pub mod toml_file;

pub mod models;
pub mod pipeline;
pub mod store;

mod admin;

mod error;
mod routes;

pub use config::Config;
pub use error::StartError;
pub use server::{Gateway, Listeners};
