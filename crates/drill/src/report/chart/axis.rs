//! The time axis that all rows of a chart share.

use jiff::Timestamp;

use crate::timing::clock::seconds;
use load::report::axis::Scale;
use load::report::plot::Plane;

/// Where the time axis begins, right of the row names.
const LEFT: f64 = 70.0;

/// Instants to units across.
pub struct Axis {
    pub from: Timestamp,
    /// Of a row; a panel has its own scale and place.
    pub plane: Plane,
}

impl Axis {
    pub fn new(from: Timestamp, length: f64) -> Self {
        let across = Scale { low: 0.0, high: length, log: false };
        let up = Scale { low: 0.0, high: 1.0, log: false };
        Self { from, plane: Plane { across, up, left: LEFT, top: 0.0, bottom: 0.0 } }
    }

    /// Seconds it is long.
    pub fn length(&self) -> f64 {
        self.plane.across.high
    }

    /// Seconds from its beginning.
    pub fn at(&self, at: Timestamp) -> f64 {
        seconds(self.from, at)
    }
}
