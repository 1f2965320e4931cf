//! The load engine against real servers: every request is accounted for, every fault has its kind, the clock is honest.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but clippy does not see helpers as such"
)]

mod cli;
mod conformity;
mod endless;
mod faults;
mod honesty;
mod http;
mod outputs;
mod overload;
mod report;
mod scenarios;
mod schema;
mod secure;
mod server;
mod spec;
mod support;
mod verdicts;
