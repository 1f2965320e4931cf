//! The admin listener: custom metrics, faults, drain and probes. It has a thread and runtime of its own, so that it
//! responds while the public workers are saturated. The public metrics do not count its requests.

mod drain;
mod faults;
mod metrics;
mod register;
mod routes;
mod server;

pub(crate) use server::Admin;
