//! What can go wrong, each with its way out.

use std::path::PathBuf;

/// Why the stack, or a part of it, could not be started, found or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program that is missing, or a process that did not serve.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// Somebody else listens where a service should.
    #[error(
        "port {port}, wanted for {service}, is taken{owner}: stop that process, or choose other ports with --port-offset N"
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// Who wanted it.
        service: String,
        /// ` by NAME (pid N)` where it can be known, else empty.
        owner: String,
    },
    /// An argument or file that cannot be used.
    #[error("{0}")]
    Usage(String),
    /// A stack already runs from this folder.
    #[error("a stack is already running from {} (pid {pid}): `stack down` stops it, --port-offset N starts another beside it", dir.display())]
    AlreadyRunning {
        /// Its folder.
        dir: PathBuf,
        /// Its supervisor.
        pid: i32,
    },
    /// The configuration could not be rendered.
    #[error("the monitoring files could not be rendered: {0}")]
    Render(String),
}

impl Error {
    /// The exit code: 2 when the caller can mend it before anything is started, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Process(error) => error.exit_code(),
            Self::PortTaken { .. } | Self::Usage(_) | Self::AlreadyRunning { .. } | Self::Render(_) => 2,
        }
    }

    /// For `map_err`: attaches what was tried.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let error = process::Error::io(what);
        move |source| Self::Process(error(source))
    }
}
