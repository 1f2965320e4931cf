//! Coverage: which alerts have a drill, a unit test and a runbook, and when each was last proven. It runs no drill and
//! changes no existing file.
//!
//! [`rules`] reads the alerts from rule files or from Prometheus, [`report`] shows them, [`scaffold`] writes drill
//! files for those that have none.

#![warn(clippy::disallowed_macros)]

mod alert;
mod cover;
mod error;
pub mod report;
pub mod rules;
pub mod scaffold;

pub use crate::alert::{Alert, Tested};
pub use crate::cover::{Covered, Holdings, cover};
pub use crate::error::{CoverageError, Reason};
