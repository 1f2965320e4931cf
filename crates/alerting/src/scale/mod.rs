//! Time scale: renders production files with shorter durations.
//!
//! There is one source of rules and no second copy: every duration in the files of a monitoring directory is divided, down to
//! a floor. Files are edited in place: everything except durations (and addresses to replace) stays the same byte for byte,
//! comments and layout included, and every edit is checked by parsing the result.
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
