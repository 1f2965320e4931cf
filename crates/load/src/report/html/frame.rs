//! The frame of a plot and its content.

use maud::{Markup, html};

use crate::report::axis::Scale;
use crate::report::plot::{Plane, svg};

pub const LEFT: f64 = 46.0;
pub const TOP: f64 = 8.0;
const BOTTOM: f64 = 158.0;
/// Space below the axis for its labels.
pub const FOOT: f64 = 18.0;

/// Points from left to right. A missing value interrupts the line.
pub struct Curve {
    /// Name in the legend.
    pub name: &'static str,
    /// CSS class.
    pub class: &'static str,
    /// x and y values.
    pub points: Vec<(f64, Option<f64>)>,
}

/// The frame of a plot.
pub struct Frame {
    /// Accessible title.
    pub title: &'static str,
    pub plane: Plane,
    /// Ticks of the horizontal axis with their labels.
    pub across: Vec<(f64, String)>,
    /// Ticks of the vertical axis with their labels.
    up: Vec<(f64, String)>,
}

impl Frame {
    pub fn new(
        title: &'static str,
        (across, marks): (f64, Vec<(f64, String)>),
        up: Scale,
        words: impl Fn(f64) -> String,
    ) -> Self {
        let across = Scale { low: 0.0, high: across, log: false };
        let plane = Plane { across, up, left: LEFT, top: TOP, bottom: BOTTOM };
        Self {
            title,
            plane,
            across: marks,
            up: up.ticks().into_iter().map(|tick| (tick, words(tick))).collect(),
        }
    }

    fn drawn(self, paths: &[(String, String)]) -> Markup {
        let body = html! {
            title { (self.title) }
            @for (value, words) in &self.up {
                (self.plane.rule(self.plane.y(*value))) (self.plane.beside(self.plane.y(*value), words))
            }
            (self.plane.marks(BOTTOM, self.across))
            @for (class, path) in paths { path class=(class) d=(path) {} }
        };
        svg(BOTTOM + FOOT, self.title, &body)
    }

    /// Draws curves.
    pub fn curves(self, curves: &[Curve]) -> Markup {
        let path =
            |curve: &Curve| (format!("curve {}", curve.class), self.plane.line(curve.points.iter().copied()));
        let paths: Vec<_> = curves.iter().map(path).collect();
        self.drawn(&paths)
    }

    /// Draws stacked bars; each bar is as wide as `step`.
    pub fn stacks(self, step: f64, bars: &[Curve]) -> Markup {
        let mut floor = vec![0.0; bars.first().map_or(0, |bar| bar.points.len())];
        let path = |bar: &Curve| {
            let bars = bar.points.iter().map(|&(x, y)| (x, x + step, y.unwrap_or(0.0)));
            (format!("area {}", bar.class), self.plane.stack(&mut floor, bars))
        };
        let paths: Vec<_> = bars.iter().map(path).collect();
        self.drawn(&paths)
    }
}
