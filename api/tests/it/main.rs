//! Tests of the gateway from outside: real sockets, a real SQLite file, a real PostgreSQL, a real Redis.

#![allow(
    clippy::unwrap_used,
    reason = "clippy's allowance for tests does not reach the helpers of this test crate"
)]

#[macro_use]
mod backend;
mod helpers;

mod access;
mod connections;
mod counted_once;
mod documents;
mod endpoints;
mod errors;
mod faults;
mod idempotency;
mod ingest;
mod metrics;
mod models;
mod openapi;
mod orders;
mod process;
mod rate_limits;
mod storage;
mod traces;
mod users;
