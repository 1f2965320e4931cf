//! The admin listener: custom metrics, faults, drain and probes, on a thread and runtime of its own, so that it
//! answers while the public workers are saturated. Its requests are in no metric of the public side.

mod drain;
mod faults;
mod metrics;
mod register;
mod routes;
mod server;

pub(crate) use server::Admin;
