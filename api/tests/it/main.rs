//! The gateway from outside: real sockets, a real SQLite file, a real PostgreSQL, a real Redis.

#![allow(
    clippy::unwrap_used,
    reason = "clippy's allowance for tests does not reach the helpers of this test crate"
)]

#[macro_use]
mod backend;
mod helpers;

mod access;
mod admin;
mod binary;
mod commands;
mod connections;
mod cors;
#[cfg(target_os = "linux")]
mod crowd;
mod databases;
mod endpoints;
mod errors;
mod faults;
mod http2;
mod idempotency;
#[cfg(feature = "inference")]
mod inference;
#[cfg(feature = "inference")]
mod inference_once;
mod ingest;
mod killed;
mod limit_cluster;
mod limit_exact;
mod limit_outage;
mod limit_policies;
mod limit_reload;
mod limit_script;
mod limits;
mod logs;
mod metrics;
#[cfg(feature = "inference")]
mod model_folder;
#[cfg(feature = "inference")]
mod models;
mod once;
mod openapi;
mod postgres_tls;
mod redis_limits;
mod redis_outage;
mod retention;
mod running;
mod saturation;
mod shutdown;
mod tls;
mod trace_origins;
mod trace_tls;
mod traces;
mod traffic;
mod users;
#[cfg(not(feature = "inference"))]
mod without_inference;
