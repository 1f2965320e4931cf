//! What this crate refuses, in the words that a person reads.

/// An error of this crate. It names the input, what is wrong with it, and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// A request, a template or an expectation.
    #[error("{0}")]
    Spec(String),
    /// Stages, rates or weights.
    #[error("{0}")]
    Schedule(String),
    /// A threshold.
    #[error("{0}")]
    Threshold(String),
    /// A report that cannot be read.
    #[error("{0}")]
    Report(String),
    /// A report that cannot be written.
    #[error("{0}")]
    Output(String),
    /// A certificate or a server's name.
    #[error("{0}")]
    Tls(String),
    /// A Prometheus that does not give the alerts of a run.
    #[error("{0}")]
    Alerts(String),
    /// The listener for metrics.
    #[error("{0}")]
    Listen(String),
}

impl From<LoadError> for String {
    fn from(error: LoadError) -> Self {
        error.to_string()
    }
}
