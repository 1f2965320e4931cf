//! The dashboards, one per file.
//!
//! Every selector has `job=~"$job",instance=~"$instance"`; `dashboards/.lint` has the exceptions with their reasons. As in
//! the alert rules, probes and `/metrics` are excluded from what clients experience.

mod alerts;
mod api;
mod budget;
mod business;
mod endpoint;
mod hosts;
mod load;
mod models;
mod overview;
mod redis;

use crate::dashboard::Dashboard;

/// All dashboards, in the order of the documentation.
#[must_use]
pub fn all() -> Vec<Dashboard> {
    vec![
        api::board(),
        overview::board(),
        endpoint::board(),
        business::board(),
        redis::board(),
        models::board(),
        hosts::board(),
        alerts::board(),
        budget::board(),
        load::board(),
    ]
}
