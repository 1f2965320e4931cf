//! Why a system could not be asked, or was not understood.

use std::path::PathBuf;

/// A system did not answer, or not as documented.
#[derive(Debug, thiserror::Error)]
#[error("{system} at {url}: {reason}")]
pub struct SystemError {
    /// `Prometheus`, `Alertmanager` or `inbox`.
    pub system: &'static str,
    /// The address asked, without user and password.
    pub url: String,
    /// What went wrong.
    pub reason: Reason,
}

/// What went wrong with a call, or before one.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// No address at all.
    #[error("{0}: expected an address such as http://127.0.0.1:9090")]
    Address(#[from] url::ParseError),
    /// An address of another kind.
    #[error("expected an address such as http://127.0.0.1:9090 or https://prometheus.example.com")]
    Scheme,
    /// Certificates that cannot be used.
    #[error(transparent)]
    Tls(#[from] common::Error),
    /// A token that cannot be shown.
    #[error("--bearer-token-file {}: {reason}", file.display())]
    Token {
        /// The file it should be in.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// User, password or address that cannot be sent.
    #[error("{0}")]
    Request(String),
    /// No connection, or one that broke.
    #[error("{0}")]
    Unreachable(String),
    /// It took too long.
    #[error("no answer within {0} s")]
    Late(u64),
    /// A status other than 2xx, and what can be done.
    #[error("{0}")]
    Refused(String),
    /// Prometheus says that a query failed.
    #[error("{kind}: {message}")]
    Failed {
        /// `errorType`.
        kind: String,
        /// `error`.
        message: String,
    },
    /// JSON of another shape.
    #[error("answer not understood: {0}")]
    Json(#[from] serde_json::Error),
    /// A value of another kind.
    #[error("answer not understood: {0}")]
    Answer(String),
    /// A configuration of another shape.
    #[error("configuration not understood: {0}")]
    Configuration(String),
    /// A query whose value is text.
    #[error("the query's value is the string {0:?}, not a number")]
    Text(String),
    /// Metrics without this counter.
    #[error("no `{0}` in the answer: Alertmanager 0.23 or newer has it")]
    Counter(&'static str),
}
