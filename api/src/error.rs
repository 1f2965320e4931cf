//! Why the gateway could not start.

/// Everything that prevents a start. Each message names the input, the reason and the fix.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting that parses but cannot be used.
    #[error(transparent)]
    Setting(#[from] crate::config::SettingError),
    /// The gateway cannot listen on the address.
    #[error(transparent)]
    Listen(#[from] crate::listen::ListenError),
    /// The rate limit policies or the API keys cannot be used.
    #[error(transparent)]
    File(#[from] crate::toml_file::FileError),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] crate::store::OpenError),
    /// A metric was declared twice, which is a bug in this program.
    #[error("cannot set up the metrics: {0}")]
    Metrics(String),
    /// The operating system reported an error while serving.
    #[error("the server stopped: {0}")]
    Server(#[from] std::io::Error),
}

impl StartError {
    /// The exit code of the process: 2 when the user can correct an input, 1 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Setting(_) | Self::Listen(_) | Self::File(_) | Self::Store(_) => 2,
            Self::Metrics(_) | Self::Server(_) => 1,
        }
    }
}

impl From<crate::models::OpenError> for StartError {
    fn from(error: crate::models::OpenError) -> Self {
        match error {
            crate::models::OpenError::Metrics(error) => Self::Metrics(error.to_string()),
            crate::models::OpenError::Thread(error) => Self::Server(error),
        }
    }
}
