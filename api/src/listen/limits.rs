//! What the system lends: sockets that wait, files that are open.

use crate::config::ConnectionSettings;
use nix::sys::{
    resource::{Resource, getrlimit},
    socket::{Backlog, listen},
};
use std::{io, net::TcpListener};

/// Descriptors the process needs beside its connections: database, Redis, logs, workers.
const OTHER_FILES: u64 = 256;

/// Gives a listener its backlog, and says so when fewer connections can be open than the settings allow. Those past
/// either limit wait in the backlog.
pub(crate) fn prepare(listener: &TcpListener, settings: &ConnectionSettings) -> io::Result<()> {
    // Listening again on a socket that listens changes its backlog.
    listen(listener, Backlog::new(settings.backlog as i32)?)?;
    let wanted = u64::from(settings.max_connections) + OTHER_FILES;
    if let Ok((limit, _)) = getrlimit(Resource::RLIMIT_NOFILE)
        && limit < wanted
    {
        let max_connections = settings.max_connections;
        tracing::warn!(
            limit,
            max_connections,
            "the limit of open files (ulimit -Hn) is below MAX_CONNECTIONS"
        );
    }
    Ok(())
}
