//! The kind of a duration in an expression.

/// The kind of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `x[5m]`
    Range,
    /// The `30m` of `x[30m:1m]`.
    SubqueryRange,
    /// The `1m` of `x[30m:1m]`.
    SubqueryStep,
    /// `x offset 5m`, without its sign.
    Offset,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Range => "range",
            Self::SubqueryRange => "subquery range",
            Self::SubqueryStep => "subquery step",
            Self::Offset => "offset",
        })
    }
}
