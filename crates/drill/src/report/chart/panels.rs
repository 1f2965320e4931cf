//! The panels above the rows: traffic and the rule's value.

use maud::{Markup, html};

use crate::causes::traffic::Rate;
use crate::evidence::value::Value;
use crate::record::case::Case;
use crate::report::chart::axis::Axis;
use crate::timing::clock::number;
use load::report::axis::Scale;
use load::report::plot::{Plane, tenth};

/// Space above a panel for its caption.
const CAPTION: f64 = 15.0;
/// Heights of the two panels.
const TRAFFIC: f64 = 42.0;
const VALUE: f64 = 64.0;
/// Space below a panel.
const GAP: f64 = 8.0;
/// Maximum number of columns of the traffic panel. A column is at least one second, the resolution of the series.
const COLUMNS: f64 = 150.0;

/// The panels that have data, and their lower end.
pub fn draw(axis: &Axis, record: &Case) -> (Markup, f64) {
    let mut y = 2.0;
    let mut place = |height: f64| {
        let top = y + CAPTION;
        y = top + height + GAP;
        Plane { top, bottom: top + height, ..axis.plane }
    };
    let rates = record.traffic.rates(axis.from, (axis.length() / COLUMNS).max(1.0));
    let traffic = (!rates.is_empty()).then(|| traffic(place(TRAFFIC), &rates));
    let value = record.evidence.as_ref().map(|evidence| rule(axis, place(VALUE), &evidence.value));
    let cause = record.instants.cause.zip(record.instants.lifted).filter(|_| y > CAPTION);
    let shade = cause.map(|(begun, lifted)| {
        axis.plane.band((axis.at(begun), axis.at(lifted)), 2.0, y - GAP - 2.0, "shade", "cause")
    });
    (html! { @for part in [shade, traffic, value].iter().flatten() { (part) } }, y)
}

/// A panel's title, the values at its top and bottom, and its base line.
fn frame(panel: &Plane, title: &str) -> Markup {
    html! {
        (panel.beside(panel.top - 0.5, &number(panel.up.high)))
        (panel.beside(f64::midpoint(panel.top, panel.bottom), title))
        (panel.beside(panel.bottom - 2.5, &number(panel.up.low)))
        (panel.rule(panel.bottom))
    }
}

/// Requests per second, stacked by outcome.
fn traffic(panel: Plane, rates: &[Rate]) -> Markup {
    let high = rates.iter().map(Rate::total).fold(f64::MIN_POSITIVE, f64::max);
    let panel = Plane { up: Scale { low: 0.0, high, log: false }, ..panel };
    let mut floor = vec![0.0; rates.len()];
    let mut layer = |name, title, class, own: fn(&Rate) -> f64| {
        let most = rates.iter().map(own).fold(0.0, f64::max);
        let path = panel.stack(&mut floor, rates.iter().map(|rate| (rate.from, rate.to, own(rate))));
        (most > 0.0).then_some((name, title, class, most, path))
    };
    let layers = [
        layer("baseline", "baseline, expected responses", "fa", |rate| rate.baseline),
        layer("cause", "cause, expected responses", "fb", |rate| rate.cause),
        layer("unexpected", "unexpected responses", "fc", |rate| rate.unexpected),
        layer("no response", "no response", "fink", |rate| rate.without_response),
    ];
    html! {
        (frame(&panel, "traffic"))
        @for (_, title, class, most, path) in layers.iter().flatten() {
            path class=(class) d=(path) { title { (title) ": up to " (number(*most)) " requests per second" } }
        }
        text x=(panel.left) y=(panel.top - 5.0) {
            "requests/s:"
            @for (name, _, class, ..) in layers.iter().flatten() { tspan class=(class) dx="6" { "■" } " " (name) }
        }
    }
}

/// The rule's value and threshold.
fn rule(axis: &Axis, panel: Plane, value: &Value) -> Markup {
    let finite =
        value.points.iter().map(|(_, value)| *value).chain(value.threshold).filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((0.0_f64, f64::MIN_POSITIVE), |(low, high), value| (low.min(value), high.max(value)));
    let panel = Plane { up: Scale { low, high, log: false }, ..panel };
    let points = value.points.iter().map(|(at, value)| (axis.at(*at), (!value.is_nan()).then_some(*value)));
    html! {
        (frame(&panel, "value"))
        path class="curve a" d=(panel.line(points)) { title { (value.expr) } }
        @if let (Some(operator), Some(threshold)) = (&value.operator, value.threshold) {
            @let y = panel.y(threshold);
            path.threshold d={ "M" (panel.left) " " (y) "H" (load::report::plot::RIGHT) } {}
            text x=(panel.left + 3.0) y=(tenth(y - 3.0)) { "threshold " (operator) " " (number(threshold)) }
        }
    }
}
