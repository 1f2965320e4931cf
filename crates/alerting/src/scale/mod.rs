//! Time scale: production files rendered faster.
//!
//! One source of rules and no second copy: the files of a monitoring directory, every duration divided, floors
//! kept. Files are edited in place: what is not a duration (or an address asked to be replaced) stays byte for
//! byte, comments and layout included, and every edit is checked by reading the result back.
//!
//! [`render()`] is pure; [`files`] reads and writes.

mod address;
mod alertmanager;
mod error;
pub(crate) mod factor;
pub mod files;
mod glob;
mod prometheus;
pub(crate) mod render;
mod rules;
mod undivided;

pub use crate::document::report::{Change, ScaleError, Warning};
pub use crate::scale::address::{Replacement, Replacements};
pub use crate::scale::error::OptionError;
pub use crate::scale::factor::Factor;
pub use crate::scale::render::{ALERTMANAGER_FILE, Options, PROMETHEUS_FILE, Rendered, render, rule_files};
