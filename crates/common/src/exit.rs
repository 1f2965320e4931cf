//! Exit codes of every subcommand.

/// Success.
pub const FINE: u8 = 0;
/// The command failed.
pub const FAILED: u8 = 1;
/// Invalid arguments, files or settings; nothing was started.
pub const USAGE: u8 = 2;
/// A threshold was crossed.
pub const THRESHOLD: u8 = 3;
/// The generator could not keep up, so the measurements do not describe the target.
pub const INVALID: u8 = 4;
/// An alert was not proven.
pub const NOT_PROVEN: u8 = 5;
/// The terminal was closed (SIGHUP); the partial report is written.
pub const HUNG_UP: u8 = 129;
/// Interrupted by SIGINT; the partial report is written.
pub const INTERRUPTED: u8 = 130;
/// Ended by SIGTERM; the partial report is written.
pub const TERMINATED: u8 = 143;

/// The exit code of a run ended by the named signal.
#[must_use]
pub fn interrupted_by(signal: &str) -> u8 {
    match signal {
        "SIGHUP" => HUNG_UP,
        "SIGTERM" => TERMINATED,
        _ => INTERRUPTED,
    }
}
