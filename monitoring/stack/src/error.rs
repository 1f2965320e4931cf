//! Errors, each with a fix.

use std::path::PathBuf;

/// Why the stack or a service could not be started, found or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A missing program, or a process that failed to serve.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// Another process listens on the port of a service.
    #[error(
        "port {port} for {service} is already in use{owner}; stop that process, or choose other ports with --port-offset N"
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// The service that needs it.
        service: String,
        /// ` by NAME (pid N)` if known, else empty.
        owner: String,
    },
    /// An invalid argument or file.
    #[error("{0}")]
    Usage(String),
    /// A stack already runs from this folder.
    #[error("a stack is already running in {} (pid {pid}); stop it with `stack down`, or start another one with --port-offset N", dir.display())]
    AlreadyRunning {
        /// Its folder.
        dir: PathBuf,
        /// Its supervisor.
        pid: i32,
    },
    /// The configuration could not be rendered.
    #[error("cannot render the monitoring files: {0}")]
    Render(String),
}

impl Error {
    /// The exit code: 2 if the caller can fix the error before anything is started, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Process(error) => error.exit_code(),
            Self::PortTaken { .. } | Self::Usage(_) | Self::AlreadyRunning { .. } | Self::Render(_) => 2,
        }
    }

    /// For `map_err`: adds the failed operation.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let error = process::Error::io(what);
        move |source| Self::Process(error(source))
    }
}
