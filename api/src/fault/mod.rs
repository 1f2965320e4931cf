//! Injected faults: `PUT /faults/{id}` on the admin listener starts one, so that the real cause of an alert can be
//! created and removed again.
//!
//! Traffic faults (abort, delay, panic) act on a share of the requests of a route, right before the handler. State
//! faults (memory, pause, model) act on the process. Every fault ends by itself after its time to live.

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
