//! The series on the time axis of the plots.

use std::time::Duration;

use crate::report::axis::{Scale, time_ticks};
use crate::report::html::frame::{Curve, Frame};
use crate::report::model::Report;
use crate::report::point::Point;
use common::duration;

/// Maximum number of points of a curve, about the width of a narrow screen in pixels.
const POINTS: usize = 360;

/// The series, reduced to the resolution of the plots.
pub struct Steps<'a> {
    /// The start of each step and its points; empty in a gap between merged runs.
    steps: Vec<(f64, &'a [Point])>,
    /// Seconds per step.
    pub step: f64,
    /// Length of the axis in seconds.
    length: f64,
    /// Seconds per point of the series.
    pub grain: f64,
}

impl<'a> Steps<'a> {
    pub fn of(report: &'a Report) -> Self {
        let points = &report.series;
        let grain = f64::from(report.series_step_seconds.max(1));
        let last = points.last().map_or(0.0, |point| f64::from(point.at_seconds) + grain);
        let many = (last / grain / POINTS as f64).ceil().max(1.0);
        let step = many * grain;
        let mut rest = points.as_slice();
        let count = (last / step).ceil() as u32;
        let steps = (0..count)
            .map(|index| {
                let end = f64::from(index + 1) * step;
                let within = rest.partition_point(|point| f64::from(point.at_seconds) < end);
                let (these, others) = rest.split_at(within);
                rest = others;
                (f64::from(index) * step, these)
            })
            .collect();
        Self { steps, step, length: last.max(1.0), grain }
    }

    /// The mean rate per second of each step.
    pub fn rates(
        &self,
        name: &'static str,
        class: &'static str,
        of: impl Fn(&Point) -> Option<f64>,
    ) -> Curve {
        let mean = |points: &[Point]| {
            let sum: Option<f64> = points.iter().map(&of).sum();
            sum.filter(|_| !points.is_empty()).map(|sum| sum / points.len() as f64)
        };
        let points = self.steps.iter().map(|&(at, points)| (at, mean(points))).collect();
        Curve { name, class, points }
    }

    /// The maximum of each step.
    pub fn worst(
        &self,
        name: &'static str,
        class: &'static str,
        of: impl Fn(&Point) -> Option<f64>,
    ) -> Curve {
        let worst = |points: &[Point]| points.iter().filter_map(&of).reduce(f64::max);
        let points = self.steps.iter().map(|&(at, points)| (at, worst(points))).collect();
        Curve { name, class, points }
    }

    pub fn frame(&self, title: &'static str, y: Scale, words: impl Fn(f64) -> String) -> Frame {
        let time = |seconds: f64| (seconds, duration::format(Duration::from_secs_f64(seconds)));
        let marks = time_ticks(self.length).into_iter().map(time).collect();
        Frame::new(title, (self.length, marks), y, words)
    }
}
