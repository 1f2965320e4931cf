//! Analysis and rewriting of rule expressions with a PromQL parser.
//!
//! The crate finds durations and thresholds and rewrites expressions. It does no I/O, evaluates nothing and does not
//! depend on rules or alerts.

#![warn(clippy::disallowed_macros)]

mod clock;
mod durations;
mod error;
mod fixed;
mod literal;
mod parse;
mod parts;
mod place;
mod ranges;
mod reads;
mod rewrite;
mod threshold;
mod tokens;
mod walk;

pub use crate::durations::{Occurrence, durations};
pub use crate::error::Error;
pub use crate::fixed::stays;
pub use crate::parts::{Comparison, Matcher, Parts, parts};
pub use crate::place::Place;
pub use crate::ranges::Range;
pub use crate::reads::{Read, reads};
pub use crate::rewrite::{Change, rewrite_durations};
pub use crate::threshold::{Threshold, threshold};
