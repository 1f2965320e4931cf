//! Errors of `loadgen run`.

use std::fmt::Display;

use common::exit;
use load::engine::{self, Running, StartError};
use load::plan::Plan;

/// An error, by its exit code.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Invalid arguments or files; nothing was sent.
    #[error("{0}")]
    Usage(String),
    /// Any other error.
    #[error("{0}")]
    Failed(String),
}

impl CommandError {
    /// An error of arguments or files.
    pub fn usage(error: impl Display) -> Self {
        Self::Usage(error.to_string())
    }

    /// Any other error.
    pub fn failed(error: impl Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => exit::USAGE,
            Self::Failed(_) => exit::FAILED,
        }
    }
}

/// Starts the engine.
pub fn start(plan: Plan) -> Result<Running, CommandError> {
    engine::start(plan).map_err(|error| match error {
        StartError::Plan(_) => CommandError::usage(error),
        StartError::System(_) => CommandError::failed(error),
    })
}
