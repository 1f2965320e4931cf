//! Redis as the backend that several gateways share.

pub(super) mod backend;
mod breaker;
mod connection;
pub(super) mod script;
mod thread_connection;
pub(super) mod url;
mod watch;
