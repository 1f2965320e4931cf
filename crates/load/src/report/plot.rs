//! Inline SVG plots for this crate's page and the drill reports. They are 400 units wide, so that text has the page's
//! size on a phone. Colours come from CSS classes of the page's style sheet, for dark mode too.

use std::fmt::Write;

use maud::{Markup, html};

use crate::report::axis::Scale;

/// Width in units.
pub const WIDTH: f64 = 400.0;
/// Right end of the horizontal axis.
pub const RIGHT: f64 = 392.0;

/// An SVG image; `label` is its accessible name.
#[must_use]
pub fn svg(height: f64, label: &str, body: &Markup) -> Markup {
    html! { svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(label) { (body) } }
}

/// Rounds to a tenth of a unit, which is finer than a screen shows.
#[must_use]
pub fn tenth(units: f64) -> f64 {
    (units * 10.0).round() / 10.0
}

/// Maps values to units in an area of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// Horizontal scale.
    pub across: Scale,
    /// Vertical scale.
    pub up: Scale,
    /// Left end of the horizontal axis.
    pub left: f64,
    /// Position of the highest value.
    pub top: f64,
    /// Position of the lowest value.
    pub bottom: f64,
}

impl Plane {
    /// Horizontal position of a value.
    #[must_use]
    pub fn x(&self, value: f64) -> f64 {
        tenth(self.left + (RIGHT - self.left) * self.across.part(value))
    }

    /// Vertical position of a value.
    #[must_use]
    pub fn y(&self, value: f64) -> f64 {
        tenth(self.bottom - (self.bottom - self.top) * self.up.part(value))
    }

    /// The path through points from left to right. A missing value interrupts it.
    #[must_use]
    pub fn line(&self, points: impl IntoIterator<Item = (f64, Option<f64>)>) -> String {
        let (mut path, mut pen, mut drawn) = (String::new(), 'M', 0);
        for (x, y) in points {
            let Some(y) = y else {
                pen = 'M';
                continue;
            };
            let _ = write!(path, "{pen}{} {}", self.x(x), self.y(y)); // writing to a String cannot fail
            (pen, drawn) = ('L', drawn + 1);
        }
        // A single point would be invisible.
        if drawn == 1 { path + "h1" } else { path }
    }

    /// The path of bars (from, to, height), stacked on those drawn before.
    #[must_use]
    pub fn stack(&self, floor: &mut [f64], bars: impl Iterator<Item = (f64, f64, f64)>) -> String {
        let mut path = String::new();
        for ((from, to, height), floor) in bars.zip(floor).filter(|((.., height), _)| *height > 0.0) {
            let bottom = self.y(*floor);
            *floor += height;
            let _ = write!(path, "M{} {bottom}V{}H{}V{bottom}Z", self.x(from), self.y(*floor), self.x(to));
        }
        path
    }

    /// A bar in a row; the title is its tooltip.
    #[must_use]
    pub fn band(&self, (from, to): (f64, f64), top: f64, height: f64, class: &str, title: &str) -> Markup {
        let (from, to) = (self.x(from), self.x(to));
        html! {
            rect class=(class) x=(from) y=(top) width=(tenth(to - from).max(1.0)) height=(height) { title { (title) } }
        }
    }

    /// A label left of the vertical axis, at the height of `middle`.
    #[must_use]
    pub fn beside(&self, middle: f64, words: &str) -> Markup {
        html! { text x=(self.left - 5.0) y=(tenth(middle + 3.5)) text-anchor="end" { (words) } }
    }

    /// A horizontal line.
    #[must_use]
    pub fn rule(&self, y: f64) -> Markup {
        html! { path.rule d={ "M" (self.left) " " (y) "H" (RIGHT) } {} }
    }

    /// Ticks of the horizontal axis, with labels below.
    #[must_use]
    pub fn marks(&self, bottom: f64, marks: impl IntoIterator<Item = (f64, String)>) -> Markup {
        html! {
            @for (value, words) in marks {
                @let x = self.x(value);
                path.rule d={ "M" (x) " " (bottom) "v4" } {}
                // A centred last label would exceed the edge.
                text x=(x) y=(bottom + 15.0) text-anchor=(if x > RIGHT - 12.0 { "end" } else { "middle" }) { (words) }
            }
        }
    }
}
