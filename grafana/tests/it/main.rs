//! Tests of the dashboards that do not need Grafana.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod alerts;
mod files;
mod provisioning;
mod required;
mod rules;
mod types;
