//! The error type of this crate.

/// An error of this crate. Its message names the input, what is wrong with it, and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// An invalid request, template or expectation.
    #[error("{0}")]
    Spec(String),
    /// An invalid stage, rate or weight.
    #[error("{0}")]
    Schedule(String),
    /// An invalid threshold.
    #[error("{0}")]
    Threshold(String),
    /// A report that cannot be read.
    #[error("{0}")]
    Report(String),
    /// A report that cannot be written.
    #[error("{0}")]
    Output(String),
    /// An invalid certificate or server name.
    #[error("{0}")]
    Tls(String),
    /// The alerts of a run cannot be queried from Prometheus.
    #[error("{0}")]
    Alerts(String),
    /// The metrics listener cannot be started.
    #[error("{0}")]
    Listen(String),
}

impl From<LoadError> for String {
    fn from(error: LoadError) -> Self {
        error.to_string()
    }
}
