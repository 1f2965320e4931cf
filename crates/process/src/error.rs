//! Errors of child processes, each with a fix.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// Why a program was not found, could not be started, or did not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An external program is neither on the PATH nor in target/tools.
    #[error("program {program} was not found on the PATH or in {}; run `make setup`", tools.display())]
    ProgramMissing {
        /// The missing program.
        program: String,
        /// The folder of `make setup`.
        tools: PathBuf,
    },
    /// One of the workspace's own binaries is not built.
    #[error("binary `{program}` was not found in {}; run `cargo build --workspace`", folder.display())]
    NotBuilt {
        /// `api` or `loadgen`.
        program: String,
        /// The folder of the built binaries.
        folder: PathBuf,
    },
    /// All tried ports are in use.
    #[error("no free port between 20000 and 32000 on 127.0.0.1")]
    NoFreePort,
    /// A service ended before it was ready.
    #[error("{service} ended during its start ({status}); last lines of {}:\n{tail}", log.display())]
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
    #[error("{service} was not ready after {limit:?}: {reason}; see its log {}", log.display())]
    NotReady {
        /// The service.
        service: String,
        /// The time limit.
        limit: Duration,
        /// The result of the last probe.
        reason: String,
        /// Its log file.
        log: PathBuf,
    },
    /// A file or process operation failed.
    #[error("{what} failed: {source}")]
    Io {
        /// The failed operation, such as `writing /x`.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
}

impl Error {
    /// The exit code: 2 if the caller can fix the error before anything is started, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ProgramMissing { .. } | Self::NotBuilt { .. } | Self::NoFreePort => 2,
            Self::Ended { .. } | Self::NotReady { .. } | Self::Io { .. } => 1,
        }
    }

    /// The error for a service that ended, with the last lines of its log.
    #[must_use]
    pub fn ended(service: &str, status: ExitStatus, log: &Path) -> Self {
        let (service, status, tail) = (service.to_owned(), status.to_string(), tail(log, 8));
        Self::Ended { service, status, log: log.to_owned(), tail }
    }

    /// For `map_err`: adds the failed operation.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// The last lines of a log, indented.
#[must_use]
pub fn tail(log: &Path, lines: usize) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| format!("    {line}\n")).collect()
}
