//! Why a configuration's routing cannot be read or worked out.

/// Something of an Alertmanager's routing that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    /// Not an Alertmanager's configuration.
    #[error("{0}")]
    Configuration(String),
    /// A matcher's pattern.
    #[error("`{0}` is not a regular expression")]
    Pattern(String),
    /// A matcher as text.
    #[error("`{0}` is not a matcher: expected label, =, !=, =~ or !~, and a value")]
    Matcher(String),
    /// A route names a time interval that is not defined.
    #[error("no time interval is called `{0}`")]
    Unnamed(String),
    /// A time interval that cannot be worked out.
    #[error("the time interval `{name}` cannot be worked out: {reason}")]
    Interval {
        /// The interval.
        name: String,
        /// What of it is not understood.
        reason: String,
    },
}

/// For functions that put the words into an error of their own.
impl From<RoutingError> for String {
    fn from(error: RoutingError) -> Self {
        error.to_string()
    }
}
