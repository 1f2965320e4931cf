//! SIGHUP: the terminal, or the session over the network, has gone.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for SIGHUP. Where it is ignored, as under `nohup`, it stays so, and the wait is for ever.
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

    /// Ends when one has come.
    pub async fn recv(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

/// By the mask of ignored signals in `/proc/self/status` (proc(5)), whose lowest bit is signal 1, SIGHUP. Where there is no
/// such file nothing is known, and it counts as not ignored.
fn is_ignored(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_says_whether_it_is_ignored() {
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
