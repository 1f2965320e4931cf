//! Where notifications go: the inbox, but for the channels that a person has set up.
//!
//! `alertmanager.yml` is shipped with every channel leading to the inbox and its secrets as files in /run/secrets.
//! [`settings`] reads what is set up, [`render`] leads those channels outside, [`files`] writes the result with the
//! secrets beside it, [`cli`] is the command. Local processes and containers get theirs from here alike.

pub mod files;
pub mod render;
pub mod settings;

pub use crate::channels::render::Inbox;
pub use crate::channels::settings::{Mail, Settings, Sources};

use crate::scale::ScaleError;
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
