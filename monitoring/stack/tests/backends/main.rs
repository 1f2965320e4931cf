//! Drills on servers other than one Prometheus with one Alertmanager, at intervals of a second.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod bed;
#[path = "../shapes/exporter.rs"]
mod exporter;
mod gateway;
mod pairs;
mod pushed;
#[path = "../e2e/support.rs"]
#[allow(dead_code, reason = "e2e needs more of it")]
mod support;
mod victoria;
