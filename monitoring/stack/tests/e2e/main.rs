//! The whole chain for real: Redis, gateway, Prometheus, Alertmanager, inbox and `loadgen`, each test on a stack
//! of its own. These are the slow tests; they spend their time waiting, so several run side by side.

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
