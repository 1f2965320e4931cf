//! Why a drill cannot be read, started or run. The messages are shown to the user.

use clients::SystemError;

use crate::record::stage::End;

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrillError {
    /// A system did not respond, or not as expected.
    #[error("{0}")]
    System(String),
    /// A field of a drill file is invalid.
    #[error("{0}")]
    Field(String),
    /// The rule under test is not loaded, fails, or cannot be understood.
    #[error("{0}")]
    Rule(String),
    /// The stack does not meet the drill's requirements.
    #[error("{0}")]
    Stack(String),
    /// The cause cannot be applied or undone.
    #[error("{0}")]
    Cause(String),
    /// The directory of undo lists, or a list in it, cannot be read or written.
    #[error("{0}")]
    Leftovers(String),
}

impl From<SystemError> for DrillError {
    fn from(error: SystemError) -> Self {
        Self::System(error.to_string())
    }
}

impl From<DrillError> for End {
    fn from(error: DrillError) -> Self {
        Self::Refused(error.to_string())
    }
}
