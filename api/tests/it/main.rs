//! The gateway from outside: real sockets, a real SQLite file, a real Redis.

#![allow(
    clippy::unwrap_used,
    reason = "clippy's allowance for tests does not reach the helpers of this test crate"
)]

mod helpers;

mod admin;
mod binary;
mod endpoints;
mod errors;
mod faults;
mod limits;
mod metrics;
mod redis_limits;
mod redis_outage;
mod running;
mod saturation;
mod shutdown;
mod users;
