//! Child processes on loopback: [`program`] finds programs, [`port`] free ports, and [`Process`] runs a program.
//!
//! Used by `stack` and by the servers of `testkit`.

#![warn(clippy::disallowed_macros)]

mod child;
mod error;
pub mod port;
pub mod program;

pub use child::{Launch, Process, die_with_parent};
pub use error::{Error, tail};
