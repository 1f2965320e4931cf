//! Errors in the arguments of a rendering.

/// An invalid time scale or address replacement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// The text is not a time scale.
    #[error("`{0}` is not a time scale: expected a number of at least 1, such as 20")]
    Factor(String),
    /// The text is not a replacement.
    #[error("`{0}` is not a replacement: expected HOST:PORT=HOST:PORT, such as api:8000=127.0.0.1:18000")]
    Replacement(String),
    /// One address has two replacements.
    #[error("`{from}` has two replacements, {one} and {other}: use one of them")]
    Both {
        /// The address to replace.
        from: String,
        /// One replacement.
        one: String,
        /// The other replacement.
        other: String,
    },
    /// An address to replace was not found.
    #[error("`{from}` was not found in any target, receiver or link; addresses found: {met}")]
    NotMet {
        /// The address to replace.
        from: String,
        /// The addresses that were found.
        met: String,
    },
}
