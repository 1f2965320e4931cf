//! End-to-end tests: Redis, gateway, Prometheus, Alertmanager, inbox and `loadgen`, each test on a separate stack. They
//! are slow but mostly wait, so several run concurrently.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod control;
mod dashboards;
mod degraded;
mod documents;
mod faults;
mod foreign;
mod inhibition;
mod interrupt;
mod leftovers;
mod lifecycle;
mod proven;
mod receivers;
mod rolling;
mod shards;
mod support;
mod usage;
mod verdicts;
