//! Plots as inline SVG: 400 units wide, so that text is as large as the page's on a telephone.

use std::fmt::Write;

use crate::report::axis::Scale;

const WIDTH: f64 = 400.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 392.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 158.0;
const HEIGHT: f64 = 176.0;

/// Points, left to right; where there is none the line is broken.
#[derive(Debug, Clone)]
pub struct Curve {
    /// For the key.
    pub name: &'static str,
    /// Of the style sheet.
    pub class: &'static str,
    /// x and y.
    pub points: Vec<(f64, Option<f64>)>,
}

/// A stretch of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Of the style sheet.
    pub class: &'static str,
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
}

/// What is drawn in.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Across.
    pub x: Scale,
    /// Up.
    pub y: Scale,
    /// Marks below, with their words.
    pub x_ticks: Vec<(f64, String)>,
    /// Marks at the left, with their words.
    pub y_ticks: Vec<(f64, String)>,
    /// For those who do not see it.
    pub title: &'static str,
}

impl Frame {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (LEFT + (RIGHT - LEFT) * self.x.part(x), BOTTOM - (BOTTOM - TOP) * self.y.part(y))
    }

    /// The picture of some curves.
    #[must_use]
    pub fn curves(&self, curves: &[Curve]) -> String {
        let mut body = String::new();
        for curve in curves {
            let mut path = String::new();
            let mut pen_up = true;
            for &(x, y) in &curve.points {
                let Some(y) = y else {
                    pen_up = true;
                    continue;
                };
                let (x, y) = self.at(x, y);
                let command = if pen_up { 'M' } else { 'L' };
                let _ = write!(path, "{command}{x:.1} {y:.1}"); // writing to a String cannot fail, here and below
                pen_up = false;
            }
            // A point alone would leave no trace.
            if curve.points.iter().filter(|(_, y)| y.is_some()).count() == 1 {
                path.push_str("h1");
            }
            let _ = write!(body, "<path class=\"curve {}\" d=\"{path}\"/>", curve.class);
        }
        self.svg(&body)
    }

    /// The picture of bars that stand on one another; each bar is as wide as `step`.
    #[must_use]
    pub fn stacks(&self, step: f64, bars: &[Curve]) -> String {
        let mut body = String::new();
        let mut floor: Vec<f64> = vec![0.0; bars.first().map_or(0, |bar| bar.points.len())];
        for bar in bars {
            let mut path = String::new();
            for (&(x, y), floor) in bar.points.iter().zip(&mut floor) {
                let Some(y) = y.filter(|&y| y > 0.0) else { continue };
                let (left, top) = self.at(x, *floor + y);
                let (right, bottom) = self.at(x + step, *floor);
                *floor += y;
                let _ = write!(path, "M{left:.1} {bottom:.1}V{top:.1}H{right:.1}V{bottom:.1}Z");
            }
            let _ = write!(body, "<path class=\"area {}\" d=\"{path}\"/>", bar.class);
        }
        self.svg(&body)
    }

    /// The picture of rows of bars, each row with its name above it.
    #[must_use]
    pub fn rows(&self, rows: &[(String, Vec<Bar>)]) -> String {
        const ROW: f64 = 26.0;
        let height = TOP + ROW * rows.len() as f64 + 20.0;
        let mut text = self.opening(height);
        for (index, (name, bars)) in rows.iter().enumerate() {
            let top = TOP + ROW * index as f64;
            let _ = write!(text, "<text x=\"{LEFT}\" y=\"{:.1}\">{name}</text>", top + 9.0);
            for bar in bars {
                let [(left, _), (right, _)] = [bar.from, bar.to].map(|x| self.at(x, 0.0));
                let width = (right - left).max(1.0);
                let _ = write!(
                    text,
                    "<rect class=\"{}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"9\"/>",
                    bar.class,
                    top + 13.0
                );
            }
        }
        self.time_marks(&mut text, TOP + ROW * rows.len() as f64);
        text + "</svg>"
    }

    fn opening(&self, height: f64) -> String {
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\"><title>{0}</title>",
            self.title
        )
    }

    fn svg(&self, body: &str) -> String {
        let mut text = self.opening(HEIGHT);
        for (value, words) in &self.y_ticks {
            let (_, y) = self.at(self.x.low, *value);
            let _ = write!(
                text,
                "<path class=\"rule\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/><text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{words}</text>",
                LEFT - 4.0,
                y + 3.5
            );
        }
        self.time_marks(&mut text, BOTTOM);
        text + body + "</svg>"
    }

    fn time_marks(&self, text: &mut String, bottom: f64) {
        for (value, words) in &self.x_ticks {
            let (x, _) = self.at(*value, self.y.low);
            // The last one's words would pass the edge.
            let anchor = if x > RIGHT - 12.0 { "end" } else { "middle" };
            let _ = write!(
                text,
                "<path class=\"rule\" d=\"M{x:.1} {bottom}v4\"/><text x=\"{x:.1}\" y=\"{:.1}\" \
                 text-anchor=\"{anchor}\">{words}</text>",
                bottom + 15.0
            );
        }
    }
}

/// The key of some curves.
#[must_use]
pub fn key(curves: &[Curve], filled: bool) -> String {
    let mut text = String::new();
    for curve in curves {
        let sample = if filled {
            format!("<rect class=\"area {}\" width=\"28\" height=\"14\"/>", curve.class)
        } else {
            format!("<path class=\"curve {}\" style=\"stroke-width:3\" d=\"M0 7H28\"/>", curve.class)
        };
        let _ = write!(
            text,
            "<span class=\"key\"><svg viewBox=\"0 0 28 14\" aria-hidden=\"true\">{sample}</svg>{}</span>",
            curve.name
        ); // writing to a String cannot fail
    }
    text
}
