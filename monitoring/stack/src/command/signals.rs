//! The signals that end a command.

use std::task::Poll;

use nix::sys::signal::Signal;
use tokio::signal::unix::{self, SignalKind};

use crate::error::Error;

/// Catches SIGINT, SIGTERM and SIGHUP from now on.
#[derive(Debug)]
pub struct Signals(Vec<(Signal, unix::Signal)>);

impl Signals {
    /// `hangup_ends` is false for a process that must outlive its terminal.
    ///
    /// # Errors
    /// When a handler cannot be installed.
    pub fn catch(hangup_ends: bool) -> Result<Self, Error> {
        let caught = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].map(|signal| {
            let stream = unix::signal(SignalKind::from_raw(signal as i32));
            Ok((signal, stream.map_err(Error::io("catching signals"))?))
        });
        let mut caught = caught.into_iter().collect::<Result<Vec<_>, Error>>()?;
        // A caught signal that is not awaited has no effect.
        caught.retain(|(signal, _)| hangup_ends || *signal != Signal::SIGHUP);
        Ok(Self(caught))
    }

    /// The next terminating signal.
    pub async fn next(&mut self) -> Signal {
        std::future::poll_fn(|context| {
            let mut caught = self.0.iter_mut();
            let arrived =
                caught.find_map(|(signal, stream)| stream.poll_recv(context).is_ready().then_some(*signal));
            arrived.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// The exit code of a command ended by a signal.
#[must_use]
pub fn exit_code(signal: Signal) -> u8 {
    u8::try_from(128 + signal as i32).unwrap_or(1)
}
