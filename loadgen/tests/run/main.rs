//! The load engine against real servers: every request is accounted for and every fault has its kind.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but clippy does not see helpers as such"
)]

#[path = "../inbox/chromium.rs"]
#[allow(dead_code, reason = "the inbox's tests use the rest")]
mod chromium;
mod command;
mod load;
mod process;
mod report;
mod schema;
mod server;
mod support;
mod wire;
