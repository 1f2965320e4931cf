//! What a rule's expression says, read through a PromQL parser.
//!
//! Expressions go in; ranges, thresholds and rewritten expressions come out. Nothing here does I/O, evaluates an expression
//! or knows rules and alerts.

#![warn(clippy::disallowed_macros)]

mod clock;
mod durations;
mod error;
mod fixed;
mod literal;
mod parse;
mod reads;
mod rewrite;
mod threshold;
mod tokens;
mod walk;

pub use crate::durations::{Occurrence, durations};
pub use crate::error::Error;
pub use crate::fixed::stays;
pub use crate::reads::{Read, reads};
pub use crate::rewrite::{Change, rewrite_durations};
pub use crate::threshold::{Threshold, threshold};
pub use crate::tokens::Place;
