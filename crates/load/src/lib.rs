//! The load engine, in the order data flows: [`spec`] → [`plan`] → [`schedule`] → [`engine`] over the [`wire`] → [`record`] → [`verdict`] → [`report`].
//!
//! Open-loop load on an honest schedule. Knows no alert and no drill; [`report::alerts`] alone asks a Prometheus.

#![warn(clippy::disallowed_macros)]

pub mod engine;
pub mod error;
pub mod format;
pub mod live;
pub mod plan;
pub mod record;
pub mod report;
pub mod schedule;
pub mod spec;
pub mod verdict;
pub mod wire;
