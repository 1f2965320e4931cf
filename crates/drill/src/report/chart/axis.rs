//! The time axis shared by all rows of a chart.

use jiff::Timestamp;

use crate::timing::clock::seconds;
use load::report::axis::Scale;
use load::report::plot::Plane;

/// Left end of the time axis, right of the row names.
const LEFT: f64 = 70.0;

/// Maps timestamps to positions.
pub struct Axis {
    pub from: Timestamp,
    /// The plane of a row. Panels have their own vertical scale and position.
    pub plane: Plane,
}

impl Axis {
    pub fn new(from: Timestamp, length: f64) -> Self {
        let across = Scale { low: 0.0, high: length, log: false };
        let up = Scale { low: 0.0, high: 1.0, log: false };
        Self { from, plane: Plane { across, up, left: LEFT, top: 0.0, bottom: 0.0 } }
    }

    /// Its length in seconds.
    pub fn length(&self) -> f64 {
        self.plane.across.high
    }

    /// Seconds from its start.
    pub fn at(&self, at: Timestamp) -> f64 {
        seconds(self.from, at)
    }
}
