//! How many files and connections this process may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What is open beside the connections: files, runtimes, timers.
const OTHERS: u64 = 64;

/// Raises the soft limit to what so many connections need, as far as the hard one lets it. What it does not let happens
/// as an error of its own kind when the descriptors run out.
pub fn allow(connections: usize) {
    let needed = connections as u64 + OTHERS;
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < needed
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, needed.min(hard), hard); // the run itself will tell
    }
}
