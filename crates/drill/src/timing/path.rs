//! What lies between a scraped series and a rule.

use std::time::Duration;

/// A way from a scraped series to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Path {
    /// W: its ranges, offsets and steps of subqueries, added up.
    pub lookback: Duration,
    /// What the rules on it take to pass on that a condition holds.
    pub rise: Duration,
    /// What they take to pass on that it holds no more.
    pub fall: Duration,
}

impl Path {
    /// Whether no step of it takes longer than the other's.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.lookback <= other.lookback && self.rise <= other.rise && self.fall <= other.fall
    }
}
