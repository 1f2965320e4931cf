//! What the system lends: sockets that wait, files that are open.

use crate::config::ConnectionSettings;
use nix::sys::{
    resource::{Resource, getrlimit},
    socket::{Backlog, listen},
};
use std::{io, net::TcpListener};

/// Descriptors the process needs beside its connections: the admin listener's, database, Redis, logs, workers.
const OTHER_FILES: u64 = 256;
/// Of these, connections that wait for their turn or have just lost it.
pub(super) const IN_TRANSIT: usize = 64;

/// Gives a listener its backlog and tells how many connections are served at once: as many as the settings say, or
/// fewer where the system's limit of open files leaves room for fewer.
pub(crate) fn prepare(listener: &TcpListener, settings: &ConnectionSettings) -> io::Result<usize> {
    // Listening again on a socket that listens changes its backlog.
    listen(listener, Backlog::new(settings.backlog as i32)?)?;
    let (wanted, files) =
        (settings.max_connections, getrlimit(Resource::RLIMIT_NOFILE).map(|(soft, _)| soft));
    let served = files.map_or(wanted, |files| fitting(wanted, files));
    if served < wanted {
        tracing::warn!(
            max_connections = wanted,
            served,
            "the open file limit (ulimit -Hn) allows fewer connections than MAX_CONNECTIONS"
        );
    }
    Ok(served as usize)
}

/// How many connections fit beside everything else that needs a file: were they to take the last one, nothing could
/// be opened any more, no connection of the admin listener's and no file of the database's.
fn fitting(wanted: u32, files: u64) -> u32 {
    // With a limit so low that nothing is left, half of it is the best that can be done.
    let room = files.saturating_sub(OTHER_FILES).max(files / 2);
    wanted.min(u32::try_from(room).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        for (wanted, files, served) in [
            (20_000, 1_048_576, 20_000),
            (20_000, 20_256, 20_000),
            (20_000, 20_000, 19_744),
            (1_000_000, u64::MAX, 1_000_000),
            (200, 400, 200),
            (300, 400, 200),
        ] {
            assert_eq!(fitting(wanted, files), served, "{wanted} of {files}");
        }
    }
}
