//! Arguments of a rendering that cannot be used.

/// A time scale or an address that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// No time scale.
    #[error("`{0}` is not a time scale: expected a number of at least 1, such as 20")]
    Factor(String),
    /// No replacement.
    #[error("`{0}` is no replacement: expected HOST:PORT=HOST:PORT, such as api:8000=127.0.0.1:18000")]
    Replacement(String),
    /// One address is to become two.
    #[error("`{from}` is to become both {one} and {other}: expected one of them")]
    Both {
        /// The address.
        from: String,
        /// What it is to become.
        one: String,
        /// And what else.
        other: String,
    },
    /// An address that stands nowhere, and those that do.
    #[error("`{from}` stands in no target, no receiver and no link; the addresses there are: {met}")]
    NotMet {
        /// The address.
        from: String,
        /// The addresses there are.
        met: String,
    },
}
