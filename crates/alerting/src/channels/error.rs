//! Why channels cannot be set up.

use crate::document::report::ScaleError;
use crate::scale::files::FilesError;

/// Channels that cannot be set up. No message holds the value of a setting: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ChannelsError {
    /// A setting is wrong, or another one is missing beside it.
    #[error("{name}: {reason}")]
    Setting {
        /// Variable or file.
        name: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// A line of the settings' file is malformed.
    #[error("{file}:{line}: is not NAME=value; quote values with spaces, start comments with #")]
    Line {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
    },
    /// The configuration is not understood, or cannot be read or written.
    #[error("{0}")]
    Files(#[from] FilesError),
}

impl From<ScaleError> for ChannelsError {
    fn from(error: ScaleError) -> Self {
        Self::Files(error.into())
    }
}
