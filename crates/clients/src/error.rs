//! Errors of requests to a system.

use std::path::PathBuf;

/// A failed request to a system.
#[derive(Debug, thiserror::Error)]
#[error("{system} at {url}: {reason}")]
pub struct SystemError {
    /// `Prometheus`, `Alertmanager` or `inbox`.
    pub system: &'static str,
    /// The requested URL, without user and password.
    pub url: String,
    /// What went wrong.
    pub reason: Reason,
}

impl SystemError {
    /// Whether there was no response at all.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(self.reason, Reason::Unreachable(_) | Reason::Late(_))
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// Invalid address.
    #[error("{0}: expected a URL such as http://127.0.0.1:9090")]
    Address(#[from] url::ParseError),
    /// Unsupported scheme.
    #[error("expected a URL such as http://127.0.0.1:9090 or https://prometheus.example.com")]
    Scheme,
    /// A setting of the server, or of this program, has to change.
    #[error("{0}")]
    Setting(String),
    /// Unusable certificates.
    #[error(transparent)]
    Tls(#[from] common::Error),
    /// Unusable token file.
    #[error("{flag} {}: {reason}", file.display())]
    Token {
        /// The flag that names the file.
        flag: &'static str,
        /// The file.
        file: PathBuf,
        /// Why it cannot be used.
        reason: String,
    },
    /// User, password or address cannot be sent.
    #[error("{0}")]
    Request(String),
    /// The connection failed.
    #[error("{0}")]
    Unreachable(String),
    /// The request timed out.
    #[error("no response within {0} s")]
    Late(u64),
    /// The response body is larger than this many bytes.
    #[error("the response is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// The response body has more than this many JSON values.
    #[error("the response has more than {0} values")]
    TooManyValues(usize),
    /// A status other than 2xx.
    #[error("{0}")]
    Refused(String),
    /// Prometheus reported a failed query.
    #[error("{kind}: {message}")]
    Failed {
        /// `errorType`.
        kind: String,
        /// `error`.
        message: String,
    },
    /// Unexpected JSON.
    #[error("cannot parse the response: {0}")]
    Json(#[from] serde_json::Error),
    /// Unexpected value.
    #[error("cannot parse the response: {0}")]
    Value(String),
    /// Unexpected configuration.
    #[error("cannot parse the configuration: {0}")]
    Configuration(String),
    /// The result of the query is a string.
    #[error("query result is the string {0:?}: expected a number")]
    Text(String),
    /// The metrics lack this counter.
    #[error("metric `{0}` was not found: Alertmanager 0.23 or newer is required")]
    Counter(&'static str),
}
