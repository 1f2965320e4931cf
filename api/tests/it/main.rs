//! The gateway from outside: real sockets, a real SQLite file, a real PostgreSQL, a real Redis.

#![allow(
    clippy::unwrap_used,
    reason = "clippy's allowance for tests does not reach the helpers of this test crate"
)]

#[macro_use]
mod backend;
mod helpers;

mod admin;
mod binary;
mod databases;
mod endpoints;
mod errors;
mod faults;
mod idempotency;
mod ingest;
mod killed;
mod limits;
mod metrics;
mod once;
mod openapi;
mod redis_limits;
mod redis_outage;
mod running;
mod saturation;
mod shutdown;
mod traces;
mod users;
