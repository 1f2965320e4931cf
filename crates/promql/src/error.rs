//! Why an expression cannot be read or rewritten.

/// An expression that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing is written.
    #[error("an empty expression: expected PromQL")]
    Empty,
    /// The parser does not take it.
    #[error("`{expr}` is not PromQL: {reason}")]
    Syntax {
        /// The expression.
        expr: String,
        /// What the parser says, and how to write it.
        reason: String,
    },
    /// It could be nested more deeply than the stack is.
    #[error("an expression with {0} operators and brackets: expected at most {1}")]
    TooLarge(usize, usize),
    /// A duration in it cannot be read.
    #[error("{0}")]
    Duration(String),
    /// Durations by position and by meaning do not agree.
    #[error("`{0}`: its durations could not be told apart from the rest")]
    Ambiguous(String),
    /// A duration would become zero.
    #[error("`{from}`: {place} of less than 1ms in `{expr}`")]
    TooShort {
        /// As it was.
        from: String,
        /// What it is for.
        place: crate::tokens::Place,
        /// The expression.
        expr: String,
    },
}

/// For functions that put the words into an error of their own.
impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.to_string()
    }
}
