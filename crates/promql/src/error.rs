//! Errors of parsing and rewriting expressions.

/// An unusable expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The expression is empty.
    #[error("empty expression: expected PromQL")]
    Empty,
    /// The parser rejects it.
    #[error("`{expr}` is not PromQL: {reason}")]
    Syntax {
        /// The expression.
        expr: String,
        /// The parser's message, and how to fix it if known.
        reason: String,
    },
    /// The expression may be nested too deeply for the stack.
    #[error("expression has {0} operators and brackets: must have at most {1}")]
    TooLarge(usize, usize),
    /// A duration is invalid.
    #[error("{0}")]
    Duration(String),
    /// The durations of the tokens and of the syntax tree differ.
    #[error("cannot locate the durations of `{0}`")]
    Ambiguous(String),
    /// A duration would become zero.
    #[error("`{from}` would become a {place} below 1ms in `{expr}`")]
    TooShort {
        /// The original duration.
        from: String,
        /// Its kind.
        place: crate::place::Place,
        /// The expression.
        expr: String,
    },
}

/// For functions that use the message in their own error.
impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.to_string()
    }
}
