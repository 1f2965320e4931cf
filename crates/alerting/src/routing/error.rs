//! Errors of a routing configuration.

/// An error in an Alertmanager's routing configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    /// The text is not an Alertmanager configuration.
    #[error("{0}")]
    Configuration(String),
    /// The pattern of a matcher is invalid.
    #[error("`{0}` is not a regular expression")]
    Pattern(String),
    /// The text of a matcher is invalid.
    #[error("`{0}` is not a matcher: expected label, =, !=, =~ or !~, and a value")]
    Matcher(String),
    /// The text is not a list of labels.
    #[error(
        "`{0}` is not a list of labels: expected ALERTNAME or label=value, separated by commas, each label once"
    )]
    Labels(String),
    /// The top route is not one that receives every alert.
    #[error("`route` must have a receiver and no matchers: it receives the alerts that match no other route")]
    TopRoute,
    /// A route names a receiver that is not defined.
    #[error("no receiver is named `{0}`")]
    Receiver(String),
    /// A route names a time interval that is not defined.
    #[error("no time interval is named `{0}`")]
    Unnamed(String),
    /// A time interval decides and no time is given.
    #[error(
        "the result depends on the time, because a route has time intervals: add `at`, such as 2026-11-30T03:00:00Z"
    )]
    Time,
    /// A time interval cannot be evaluated.
    #[error("the time interval `{name}` cannot be evaluated: {reason}")]
    Interval {
        /// Name of the interval.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// For functions whose errors are plain text.
impl From<RoutingError> for String {
    fn from(error: RoutingError) -> Self {
        error.to_string()
    }
}
