//! What is drawn as heights over the time axis: traffic and the rule's value.

use std::fmt::Write;

use crate::causes::traffic::Rate;
use crate::evidence::value::Value;
use crate::record::case::Case;
use crate::report::chart::axis::{Axis, LEFT, RIGHT, name};
use crate::timing::clock::number;
use common::markup::escape;

/// Above a panel, for what stands in it in words.
const CAPTION: f64 = 15.0;
/// Height of the traffic, and of the value.
const TRAFFIC: f64 = 42.0;
const VALUE: f64 = 64.0;
/// Below a panel.
const GAP: f64 = 8.0;
/// Columns the traffic is drawn in, at most; no column is narrower than a second, which is what the engine counts in.
const COLUMNS: f64 = 150.0;
/// About as wide as a letter of a caption, so that what follows it does not lie on it.
const LETTER: f64 = 5.4;

/// Both panels, as far as there is something to show, and where they end.
pub fn draw(axis: &Axis, record: &Case) -> (String, f64) {
    let (mut body, mut y) = (String::new(), 2.0);
    let origin = axis.from;
    let rates = record.traffic.rates(origin, (axis.length / COLUMNS).max(1.0));
    if !rates.is_empty() {
        let frame = Frame { top: y + CAPTION, bottom: y + CAPTION + TRAFFIC };
        body.push_str(&traffic(axis, &rates, frame));
        y = frame.bottom + GAP;
    }
    if let Some(value) = record.evidence.as_ref().map(|evidence| &evidence.value) {
        let frame = Frame { top: y + CAPTION, bottom: y + CAPTION + VALUE };
        body.push_str(&rule(axis, value, frame));
        y = frame.bottom + GAP;
    }
    if y > CAPTION
        && let (Some(begun), Some(lifted)) = (record.instants.cause, record.instants.lifted)
    {
        let (from, to) = (axis.x(begun), axis.x(lifted));
        let width = (to - from).max(1.0);
        let shade = format!(
            "<rect x=\"{from:.1}\" y=\"2\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"var(--line)\" \
             fill-opacity=\"0.35\"><title>cause</title></rect>\n",
            y - GAP - 2.0
        );
        body.insert_str(0, &shade);
    }
    (body, y)
}

/// Top and bottom of a panel.
#[derive(Clone, Copy)]
struct Frame {
    top: f64,
    bottom: f64,
}

impl Frame {
    /// Its name, the values at its top and bottom, and its ground line.
    fn drawn(self, title: &str, low: f64, high: f64) -> String {
        let middle = f64::midpoint(self.top, self.bottom);
        name(&number(high), self.top - 6.0)
            + &name(title, middle - 5.5)
            + &name(&number(low), self.bottom - 8.0)
            + &format!("<path d=\"M{LEFT} {:.1}H{RIGHT}\" stroke=\"var(--line)\"/>\n", self.bottom)
    }

    fn y(self, value: f64, low: f64, high: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * ((value.clamp(low, high) - low) / (high - low))
    }
}

/// A share of the traffic.
struct Layer {
    /// As the legend has it, and in a few more words.
    name: &'static str,
    whole: &'static str,
    colour: &'static str,
    /// How much it is, and how high it reaches with what lies below it.
    own: fn(&Rate) -> f64,
    height: fn(&Rate) -> f64,
}

/// Requests per second, stacked by what became of them.
fn traffic(axis: &Axis, rates: &[Rate], frame: Frame) -> String {
    let high = rates.iter().map(Rate::total).fold(f64::MIN_POSITIVE, f64::max);
    let mut text = frame.drawn("traffic", 0.0, high);
    // Each lies over the one before, so that what shows of it is its own share.
    let layers = [
        Layer {
            name: "no answer",
            whole: "without an answer",
            colour: "ink",
            own: |rate| rate.unanswered,
            height: Rate::total,
        },
        Layer {
            name: "unexpected",
            whole: "answered otherwise than expected",
            colour: "bad",
            own: |rate| rate.unexpected,
            height: |rate| rate.baseline + rate.cause + rate.unexpected,
        },
        Layer {
            name: "cause",
            whole: "of the cause, answered as expected",
            colour: "pending",
            own: |rate| rate.cause,
            height: |rate| rate.baseline + rate.cause,
        },
        Layer {
            name: "baseline",
            whole: "of the baseline, answered as expected",
            colour: "mark",
            own: |rate| rate.baseline,
            height: |rate| rate.baseline,
        },
    ];
    let mut legend = Vec::new();
    for Layer { name, whole, colour, own, height } in layers {
        let most = rates.iter().map(own).fold(0.0, f64::max);
        if most <= 0.0 {
            continue;
        }
        let mut path = format!("M{:.1} {:.1}", axis.x_seconds(rates[0].from), frame.bottom);
        for rate in rates {
            // Writing to a String cannot fail, here and below.
            let _ = write!(path, "V{:.1}H{:.1}", frame.y(height(rate), 0.0, high), axis.x_seconds(rate.to));
        }
        let _ = writeln!(
            text,
            "<path d=\"{path}V{:.1}Z\" fill=\"var(--{colour})\"><title>{whole}: up to {} requests a second</title></path>",
            frame.bottom,
            number(most)
        );
        legend.push((name, colour));
    }
    let y = frame.top - 5.0;
    let mut x = LEFT;
    let mut word = |what: &str, x: &mut f64| {
        let _ = writeln!(text, "<text x=\"{x:.1}\" y=\"{y:.1}\">{what}</text>");
        *x += what.chars().count() as f64 * LETTER + 8.0;
    };
    word("requests/s:", &mut x);
    let mut squares = String::new();
    for (name, colour) in legend.into_iter().rev() {
        let _ = writeln!(
            squares,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\" fill=\"var(--{colour})\"/>",
            y - 8.0
        );
        x += 12.0;
        word(name, &mut x);
    }
    text + &squares
}

/// The rule's value against its threshold.
fn rule(axis: &Axis, value: &Value, frame: Frame) -> String {
    let finite =
        value.points.iter().map(|(_, value)| *value).chain(value.threshold).filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((0.0_f64, f64::MIN_POSITIVE), |(low, high), value| (low.min(value), high.max(value)));
    let y = |value: f64| frame.y(value, low, high);
    let mut text = frame.drawn("value", low, high);
    let mut path = String::new();
    for (at, value) in &value.points {
        let _ =
            write!(path, "{}{:.1} {:.1}", if path.is_empty() { "M" } else { "L" }, axis.x(*at), y(*value));
    }
    let title = format!("<title>{}</title>", escape(&value.expr));
    let _ = writeln!(
        text,
        "<path d=\"{path}\" fill=\"none\" stroke=\"var(--mark)\" stroke-width=\"1.6\">{title}</path>"
    );
    if let (Some(operator), Some(threshold)) = (&value.operator, value.threshold) {
        let y = y(threshold);
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"var(--firing)\" stroke-dasharray=\"4 3\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">fires at {} {}</text>",
            LEFT + 3.0,
            y - 3.0,
            escape(operator),
            number(threshold)
        );
    }
    text
}
