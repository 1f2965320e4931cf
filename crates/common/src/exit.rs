//! Exit codes, the same for every subcommand.

/// Everything as asked.
pub const FINE: u8 = 0;
/// The command could not do its work.
pub const FAILED: u8 = 1;
/// Bad arguments, files or settings; nothing was started.
pub const USAGE: u8 = 2;
/// A threshold was crossed.
pub const THRESHOLD: u8 = 3;
/// The generator itself could not keep up: the figures say nothing about the target.
pub const INVALID: u8 = 4;
/// An alert was not proven.
pub const NOT_PROVEN: u8 = 5;
/// Its terminal has gone (SIGHUP), after the partial report.
pub const HUNG_UP: u8 = 129;
/// Interrupted by SIGINT, after the partial report.
pub const INTERRUPTED: u8 = 130;
/// Ended by SIGTERM, after the partial report.
pub const TERMINATED: u8 = 143;

/// Of a run that the signal of this name ended.
#[must_use]
pub fn interrupted_by(signal: &str) -> u8 {
    match signal {
        "SIGHUP" => HUNG_UP,
        "SIGTERM" => TERMINATED,
        _ => INTERRUPTED,
    }
}
