//! Limits of the operating system: the backlog and open files.

use crate::config::ConnectionSettings;
use nix::sys::{
    resource::{Resource, getrlimit},
    socket::{Backlog, listen},
};
use std::{io, net::TcpListener};

/// File descriptors that the process needs besides its connections: admin listener, database, Redis, logs, workers.
const OTHER_FILES: u64 = 256;
/// Of these, connections that wait for their turn or have just lost it.
pub(super) const IN_TRANSIT: usize = 64;

/// Sets the backlog of a listener and returns how many connections are served at once: the configured number, or fewer
/// when the limit of open files is too low.
pub(crate) fn prepare(listener: &TcpListener, settings: &ConnectionSettings) -> io::Result<usize> {
    // Calling `listen` again on a listening socket changes its backlog.
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

/// How many connections fit besides the other files. If connections used every descriptor, the admin listener could
/// accept nothing and the database could open no file.
fn fitting(wanted: u32, files: u64) -> u32 {
    // If the limit leaves no room, use half of it.
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
