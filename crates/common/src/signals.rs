//! SIGINT and SIGTERM: the first ends the run gracefully, the second exits at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit;

/// A signal that ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Ctrl-C.
    Interrupt,
    /// A supervisor's request.
    Terminate,
}

impl Ending {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// Its exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Interrupt => exit::INTERRUPTED,
            Self::Terminate => exit::TERMINATED,
        }
    }
}

/// Waits for the signals of a run.
#[derive(Debug, Clone)]
pub struct Signals(watch::Receiver<Option<Ending>>);

impl Signals {
    /// Installs handlers for both signals. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn install() -> std::io::Result<Self> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let ending = tokio::select! {
                    _ = interrupt.recv() => Ending::Interrupt,
                    _ = terminate.recv() => Ending::Terminate,
                };
                if sender.borrow().is_some() {
                    std::process::exit(i32::from(ending.code()));
                }
                sender.send_replace(Some(ending));
            }
        });
        Ok(Self(receiver))
    }

    /// Returns when a signal has arrived, at once if one already has.
    pub async fn wait(&mut self) -> Ending {
        match self.0.wait_for(Option::is_some).await.map(|ending| *ending) {
            Ok(Some(ending)) => ending,
            // The task above ends only with the runtime.
            _ => std::future::pending().await,
        }
    }
}
