//! Prometheus and Alertmanager files: parsing, editing in place, rendering with shorter durations, and the routes of an
//! alert, with assertions on them. Works on files only, without running systems.

#![warn(clippy::disallowed_macros)]

pub mod assertions;
pub mod channels;
pub mod document;
pub mod routing;
pub mod scale;
