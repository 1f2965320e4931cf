//! The limit on open files and connections of this process.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// File descriptors besides the connections: files, runtimes, timers.
const OTHERS: u64 = 64;

/// Raises the soft limit to fit `connections`, at most to the hard limit. Running out of descriptors later is reported
/// as an error of its own kind.
pub fn allow(connections: usize) {
    let needed = connections as u64 + OTHERS;
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < needed
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, needed.min(hard), hard); // the run reports missing descriptors
    }
}
