//! Assertions on a routing configuration: a file of alerts, each with what Alertmanager must do with it.

pub mod check;
pub mod file;
