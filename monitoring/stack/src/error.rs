//! What can go wrong, each with its way out.

use std::path::PathBuf;
use std::time::Duration;

/// Why the stack, or a part of it, could not be started, found or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An external program is neither on the PATH nor in target/tools.
    #[error("{program} was not found on the PATH nor in {}: run `make setup`", tools.display())]
    ProgramMissing {
        /// The program looked for.
        program: String,
        /// Where set-up puts it.
        tools: PathBuf,
    },
    /// One of the workspace's own binaries is not built.
    #[error("the `{program}` binary is not in {}: run `cargo build --workspace`", folder.display())]
    NotBuilt {
        /// `api` or `loadgen`.
        program: String,
        /// The folder of the build's binaries.
        folder: PathBuf,
    },
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
    /// A service ended before it was ready.
    #[error("{service} ended while starting ({status}); the end of {}:\n{tail}", log.display())]
    Ended {
        /// The service.
        service: String,
        /// Its exit status.
        status: String,
        /// Its log file.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A service did not become ready in time.
    #[error("{service} was not ready after {limit:?}: {reason}; its log is {}", log.display())]
    NotReady {
        /// The service.
        service: String,
        /// The time it had.
        limit: Duration,
        /// What the last look said.
        reason: String,
        /// Its log file.
        log: PathBuf,
    },
    /// The configuration could not be rendered.
    #[error("the monitoring files could not be rendered: {0}")]
    Render(String),
    /// A file or process operation failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl Error {
    /// The exit code: 2 when the caller can mend it before anything is started, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ProgramMissing { .. }
            | Self::NotBuilt { .. }
            | Self::PortTaken { .. }
            | Self::Usage(_)
            | Self::AlreadyRunning { .. }
            | Self::Render(_) => 2,
            Self::Ended { .. } | Self::NotReady { .. } | Self::Io { .. } => 1,
        }
    }

    /// For `map_err`: attaches what was tried.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
