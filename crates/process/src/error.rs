//! What can go wrong with a child process, each with its way out.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// Why a program could not be found or started, or did not serve.
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
    /// Every port tried is taken.
    #[error("no free port between 20000 and 32000 on 127.0.0.1")]
    NoFreePort,
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
            Self::ProgramMissing { .. } | Self::NotBuilt { .. } | Self::NoFreePort => 2,
            Self::Ended { .. } | Self::NotReady { .. } | Self::Io { .. } => 1,
        }
    }

    /// That a service ended, with the last lines of its log.
    #[must_use]
    pub fn ended(service: &str, status: ExitStatus, log: &Path) -> Self {
        let (service, status, tail) = (service.to_owned(), status.to_string(), tail(log, 8));
        Self::Ended { service, status, log: log.to_owned(), tail }
    }

    /// For `map_err`: attaches what was tried.
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
