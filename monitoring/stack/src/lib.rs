//! The whole stack as local processes: Redis, its exporter, the gateway, Prometheus, Alertmanager and the inbox.
//!
//! In the order of a start: [`settings`] say where and how fast, [`port`] makes sure that nobody else listens,
//! [`render`] writes the configuration, [`service`] says how each one is started and when it is ready, the crate
//! `process` finds and runs one, [`stack`] runs them all, [`state`] remembers them on disk for `down` and `status`,
//! [`control`] takes orders for single ones, [`textfile`] reports on them, [`load`] makes a run of the load generator a
//! target. [`mutate`] breaks the monitoring files to see whether drills notice.

#![warn(clippy::disallowed_macros)]

#[expect(clippy::disallowed_macros, reason = "the commands of a program: what they say is printed")]
pub mod command;
pub mod control;
pub mod error;
pub mod load;
pub mod mutate;
pub mod port;
pub mod ready;
pub mod render;
pub mod service;
pub mod settings;
pub mod stack;
pub mod state;
pub mod textfile;

pub use error::Error;
pub use settings::Settings;
pub use stack::Stack;
