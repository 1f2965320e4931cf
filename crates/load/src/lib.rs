//! The load engine, in the order data flows: [`spec`] → [`plan`] → [`schedule`] → [`engine`] over the [`wire`] → [`record`] → [`verdict`] → [`report`].
//!
//! Open-loop load on a fixed schedule. The crate does not depend on alerts or drills; only [`report::alerts`] queries
//! Prometheus.

#![warn(clippy::disallowed_macros)]

pub mod engine;
pub mod error;
pub mod format;
pub mod live;
pub mod plan;
pub mod record;
pub mod report;
pub mod report_file;
pub mod schedule;
pub mod spec;
pub mod verdict;
pub mod wire;
