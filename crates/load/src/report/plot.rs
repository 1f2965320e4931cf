//! Pictures as inline SVG for this crate's page and for that of drills: 400 units wide, so that text is as large as the
//! page's on a telephone. What is painted by a class has its colour from the page's style sheet, in the dark too.

use std::fmt::Write;

use maud::{Markup, html};

use crate::report::axis::Scale;

/// Units across.
pub const WIDTH: f64 = 400.0;
/// Where the axis across ends.
pub const RIGHT: f64 = 392.0;

/// The picture; `label` is for those who do not see it.
#[must_use]
pub fn svg(height: f64, label: &str, body: &Markup) -> Markup {
    html! { svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(label) { (body) } }
}

/// A tenth of a unit is finer than a screen shows.
#[must_use]
pub fn tenth(units: f64) -> f64 {
    (units * 10.0).round() / 10.0
}

/// Values to units, in a part of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// Across.
    pub across: Scale,
    /// Up.
    pub up: Scale,
    /// Where the axis across begins.
    pub left: f64,
    /// Where the highest value lies.
    pub top: f64,
    /// Where the lowest value lies.
    pub bottom: f64,
}

impl Plane {
    /// Units across.
    #[must_use]
    pub fn x(&self, value: f64) -> f64 {
        tenth(self.left + (RIGHT - self.left) * self.across.part(value))
    }

    /// Units down.
    #[must_use]
    pub fn y(&self, value: f64) -> f64 {
        tenth(self.bottom - (self.bottom - self.top) * self.up.part(value))
    }

    /// The path through points, left to right; where there is none it is broken.
    #[must_use]
    pub fn line(&self, points: impl IntoIterator<Item = (f64, Option<f64>)>) -> String {
        let (mut path, mut pen, mut drawn) = (String::new(), 'M', 0);
        for (x, y) in points {
            let Some(y) = y else {
                pen = 'M';
                continue;
            };
            let _ = write!(path, "{pen}{} {}", self.x(x), self.y(y)); // writing to a String cannot fail, here and below
            (pen, drawn) = ('L', drawn + 1);
        }
        // A point alone would leave no trace.
        if drawn == 1 { path + "h1" } else { path }
    }

    /// The path of bars, each from one place across to another and so high, that stand on those drawn before.
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

    /// A stretch of a row; the title shows where a pointer rests.
    #[must_use]
    pub fn band(&self, (from, to): (f64, f64), top: f64, height: f64, class: &str, title: &str) -> Markup {
        let (from, to) = (self.x(from), self.x(to));
        html! {
            rect class=(class) x=(from) y=(top) width=(tenth(to - from).max(1.0)) height=(height) { title { (title) } }
        }
    }

    /// Words left of the axis up, at the height of `middle`.
    #[must_use]
    pub fn beside(&self, middle: f64, words: &str) -> Markup {
        html! { text x=(self.left - 5.0) y=(tenth(middle + 3.5)) text-anchor="end" { (words) } }
    }

    /// A line across.
    #[must_use]
    pub fn rule(&self, y: f64) -> Markup {
        html! { path.rule d={ "M" (self.left) " " (y) "H" (RIGHT) } {} }
    }

    /// Marks on the axis across, with their words below.
    #[must_use]
    pub fn marks(&self, bottom: f64, marks: impl IntoIterator<Item = (f64, String)>) -> Markup {
        html! {
            @for (value, words) in marks {
                @let x = self.x(value);
                path.rule d={ "M" (x) " " (bottom) "v4" } {}
                // The last one's words would pass the edge.
                text x=(x) y=(bottom + 15.0) text-anchor=(if x > RIGHT - 12.0 { "end" } else { "middle" }) { (words) }
            }
        }
    }
}
