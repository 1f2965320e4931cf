//! The eight Grafana dashboards.
//!
//! In the order of the work: [`boards`] say what is on each, in the words of [`panel`] and [`dashboard`]; [`render`]
//! turns that into Grafana's classic JSON; [`lint`] holds the result against the rules of grafana/dashboard-linter;
//! [`fill`] puts values for the variables into a query, as Grafana does before it asks Prometheus.
//!
//! `cargo run -p dashboards` writes `grafana/dashboards/*.json`, the files that Grafana is provisioned with.

#![warn(clippy::disallowed_macros)]

pub mod boards;
pub mod dashboard;
pub mod fill;
pub mod lint;
pub mod panel;
pub mod render;

use std::path::PathBuf;

/// The folder `grafana/` of the repository.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
