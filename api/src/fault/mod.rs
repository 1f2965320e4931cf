//! Faults on purpose: what `PUT /faults/{id}` on the admin listener puts in force, so that an alert's real cause can
//! be brought about and taken away again.
//!
//! Faults of traffic (abort, delay, panic) act on a share of the requests of a route, right before their handler;
//! faults of state (memory, pause, model) act on the process. Every one ends by itself after its time to live.

mod chance;
mod header;
mod id;
mod in_force;
mod memory;
mod parse;
mod plane;
mod spec;
mod switches;

pub use in_force::Status;
pub use parse::{Bounds, parse};
pub use plane::{Plane, Refusal};
pub use spec::{Decision, Delays, End, ModelFault, Spec};
pub use switches::{ModelFaults, Switch, Switches};

pub(crate) use header::{HEADER, InjectedPanic, names};
pub(crate) use id::acceptable as acceptable_id;
pub(crate) use in_force::InForce;
