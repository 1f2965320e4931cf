//! Prometheus and Alertmanager files: read, edited in place, rendered at another speed, and where Alertmanager routes an
//! alert. It asks no running system and starts none.

#![warn(clippy::disallowed_macros)]

pub mod channels;
pub mod document;
pub mod routing;
pub mod scale;
