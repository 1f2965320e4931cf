//! What can be held of the dashboards without Grafana.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod alerts;
mod files;
mod provisioning;
mod rules;
mod types;
mod wished;
