//! The dashboards, one file each.
//!
//! Every selector carries `job=~"$job",instance=~"$instance"`; where it cannot, `dashboards/.lint` says why. Probes and
//! `/metrics` stay out of what callers experience, as in the alert rules.

mod alerts;
mod api;
mod budget;
mod hosts;
mod load;
mod models;
mod overview;
mod redis;

use crate::dashboard::Dashboard;

/// All of them, in the order they are numbered in the documents.
#[must_use]
pub fn all() -> Vec<Dashboard> {
    vec![
        api::board(),
        overview::board(),
        redis::board(),
        models::board(),
        hosts::board(),
        alerts::board(),
        budget::board(),
        load::board(),
    ]
}
