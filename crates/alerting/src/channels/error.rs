//! Errors of setting up channels.

use crate::document::report::ScaleError;
use crate::scale::files::FilesError;

/// Channels cannot be set up. Messages never contain the value of a setting, since it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ChannelsError {
    /// A setting is invalid, or one that it needs is missing.
    #[error("{name}: {reason}")]
    Setting {
        /// Name of the variable or file.
        name: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// A line of the `.env` file is malformed.
    #[error("{file}:{line}: expected NAME=value; quote values with spaces, start comments with #")]
    Line {
        /// Path of the file.
        file: String,
        /// Line number, from 1.
        line: usize,
    },
    /// The configuration is invalid, or cannot be read or written.
    #[error("{0}")]
    Files(#[from] FilesError),
}

impl From<ScaleError> for ChannelsError {
    fn from(error: ScaleError) -> Self {
        Self::Files(error.into())
    }
}
