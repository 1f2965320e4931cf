//! Faults on purpose: what `PUT /faults/{id}` on the admin listener puts in force, so that an alert's real cause can
//! be brought about and taken away again.
//!
//! Faults of traffic (abort, delay, panic) act on a share of the requests of a route, right before their handler;
//! faults of state (memory, pause, model) act on the process. Every one ends by itself after its time to live.

mod chance;
mod header;
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
pub(crate) use in_force::InForce;

/// Every value of the `kind` label.
pub(crate) const KINDS: &[&str] = &["abort", "delay", "panic", "memory", "pause", "model"];

/// Longest id, in bytes.
const LONGEST_ID: usize = 40;

/// Whether an id is 1 to 40 letters, digits, `-` and `_`: it becomes a label and a header.
pub(crate) fn acceptable_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_clean() {
        for (id, good) in [
            ("a", true),
            ("slow-users_2", true),
            (&"x".repeat(40), true),
            (&"x".repeat(41), false),
            ("", false),
            ("a b", false),
            ("a/b", false),
            ("a\"b", false),
            ("ä", false),
        ] {
            assert_eq!(acceptable_id(id), good, "{id:?}");
        }
    }
}
