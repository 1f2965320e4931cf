//! The load engine against real servers: every request is accounted for, every fault has its kind, the clock is honest.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but clippy does not see helpers as such"
)]

mod before;
#[path = "../inbox/chromium.rs"]
#[allow(dead_code, reason = "the inbox's tests use the rest")]
mod chromium;
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
mod page;
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
