//! The path from a scraped series to a rule.

use std::time::Duration;

/// The delays on a path from a scraped series to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Path {
    /// W: the sum of ranges, offsets and subquery steps.
    pub lookback: Duration,
    /// Delay until the rules on the path pass on that a condition holds.
    pub rise: Duration,
    /// Delay until they pass on that it no longer holds.
    pub fall: Duration,
    /// `query_offset` of the group that writes what the rule reads: its results are visible that much later than the time
    /// they have. Zero for a scraped series.
    pub behind: Duration,
}

impl Path {
    /// Whether no delay is longer than that of `other`.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.lookback <= other.lookback
            && self.rise <= other.rise
            && self.fall <= other.fall
            && self.behind <= other.behind
    }
}
