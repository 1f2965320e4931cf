//! The complete stack as local processes: Redis, its exporter, the gateway, Prometheus, Alertmanager and the inbox.
//!
//! In the order of a start: [`settings`] has folders, ports and time scale, [`port`] checks that the ports are free,
//! [`render`] writes the configuration, [`redis`] the users of Redis, [`service`] defines how each service is started and when it is ready, the crate
//! `process` finds and runs one, [`stack`] runs them all, [`state`] stores them on disk for `down` and `status`,
//! [`control`] accepts orders for single services, [`textfile`] exports their state, [`load`] makes a run of the load
//! generator a target. [`mutate`] breaks the monitoring files to check whether drills notice.

#![warn(clippy::disallowed_macros)]

#[expect(clippy::disallowed_macros, reason = "the subcommands print to standard output")]
pub mod command;
pub mod control;
pub mod error;
pub mod load;
pub mod mutate;
pub mod port;
pub mod ready;
pub mod redis;
pub mod render;
pub mod service;
pub mod settings;
pub mod stack;
pub mod state;
pub mod textfile;
mod tokens;

pub use error::Error;
pub use settings::Settings;
pub use stack::Stack;
