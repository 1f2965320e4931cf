//! The load engine against real servers: every request is accounted for, every fault has its kind, the clock is honest.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but clippy does not see helpers as such"
)]

mod before;
mod command;
mod conformity;
mod endless;
mod exits;
mod faults;
mod help;
mod honesty;
mod http;
mod outfiles;
mod outputs;
mod overload;
mod ports;
mod report;
mod review;
mod scenarios;
mod schema;
mod secure;
mod sent;
mod server;
mod signals;
mod spec;
mod support;
mod unread;
mod verdicts;
