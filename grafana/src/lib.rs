//! The eight Grafana dashboards.
//!
//! [`boards`] define the dashboards with the types of [`panel`] and [`dashboard`]; [`render`] turns them into Grafana's
//! classic JSON; [`lint`] checks the result against the rules of grafana/dashboard-linter; [`fill`] replaces the
//! variables of a query by values, as Grafana does before it sends the query to Prometheus.
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
