//! Child processes on loopback: [`program`] finds what to start, [`port`] a place to listen, [`Process`] runs it.
//!
//! What `stack` and the servers of `testkit` have in common.

#![warn(clippy::disallowed_macros)]

mod child;
mod error;
pub mod port;
pub mod program;

pub use child::{Launch, Process, die_with_parent};
pub use error::{Error, tail};
