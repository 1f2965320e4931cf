//! SIGHUP: the terminal or network session was closed.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for SIGHUP. If it is ignored, as under `nohup`, it stays ignored and the wait never ends.
#[derive(Debug)]
pub struct Hangup(Option<Signal>);

impl Hangup {
    /// # Errors
    /// When no handler can be installed.
    pub fn new() -> io::Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let wanted = !is_ignored(&status);
        wanted.then(|| signal(SignalKind::hangup())).transpose().map(Self)
    }

    /// Returns when the signal has arrived.
    pub async fn recv(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

/// Reads the mask of ignored signals in `/proc/self/status` (proc(5)), whose lowest bit is SIGHUP. Without this file,
/// the signal counts as not ignored.
fn is_ignored(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_mask_of_ignored_signals() {
        for (status, ignored) in [
            ("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n", false),
            ("SigIgn:\t0000000000001001\n", true),
            ("SigIgn:\tffffffffffffffff\n", true),
            ("SigIgn:\tx\n", false),
            ("", false),
        ] {
            assert_eq!(is_ignored(status), ignored, "{status}");
        }
    }
}
