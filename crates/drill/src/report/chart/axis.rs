//! The time axis that all rows of a chart share.

use jiff::Timestamp;

use crate::timing::clock::seconds;
use common::markup::escape;

/// Units across; at 400 px a unit is a pixel.
pub const WIDTH: f64 = 400.0;
/// Where the time axis begins, right of the row names, and ends.
pub const LEFT: f64 = 70.0;
pub const RIGHT: f64 = 392.0;
pub const ROW: f64 = 15.0;

/// Instants to units across.
pub struct Axis {
    pub from: Timestamp,
    pub length: f64,
}

impl Axis {
    pub fn x(&self, at: Timestamp) -> f64 {
        self.x_seconds(seconds(self.from, at))
    }

    pub fn x_seconds(&self, seconds: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (seconds / self.length).clamp(0.0, 1.0)
    }
}

/// What a row is called, left of it.
pub fn name(text: &str, y: f64) -> String {
    format!("<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n", LEFT - 6.0, y + 9.0, escape(text))
}
