//! Connections, requests and responses on the wire.

pub mod body;
pub mod connection;
pub mod deadline;
pub mod error;
mod framing;
pub mod response;
pub mod target;
pub mod timer;
pub mod tls;
pub mod transport;
