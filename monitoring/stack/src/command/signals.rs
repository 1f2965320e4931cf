//! The signals that end a command.

use nix::sys::signal::Signal;
use tokio::signal::unix::{self, SignalKind};

use crate::error::Error;

/// SIGINT, SIGTERM and SIGHUP, caught from now on.
#[derive(Debug)]
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
    hangup_ends: bool,
}

impl Signals {
    /// `hangup_ends` is false for a process that must outlive its terminal.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn catch(hangup_ends: bool) -> Result<Self, Error> {
        let catch = |kind| unix::signal(kind).map_err(Error::io("catching signals"));
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            hangup: catch(SignalKind::hangup())?,
            hangup_ends,
        })
    }

    /// The next signal that asks for an end.
    pub async fn next(&mut self) -> Signal {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return Signal::SIGINT,
                _ = self.terminate.recv() => return Signal::SIGTERM,
                _ = self.hangup.recv() => if self.hangup_ends { return Signal::SIGHUP },
            }
        }
    }
}

/// The exit code of a command ended by a signal.
#[must_use]
pub fn exit_code(signal: Signal) -> u8 {
    u8::try_from(128 + signal as i32).unwrap_or(1)
}
