//! What has a row of its own below the panels: the cause, the alert's state, notifications, each phase with its bound.

use std::fmt::Write;

use jiff::Timestamp;

use crate::record::case::Case;
use crate::report::chart::axis::{Axis, RIGHT, name};
use crate::timing::clock::{readable, seconds};
use clients::inbox::Channel;
use common::markup::escape;

fn band(axis: &Axis, from: Timestamp, to: Timestamp, y: f64, colour: &str, title: &str) -> String {
    let (start, end) = (axis.x(from), axis.x(to));
    format!(
        "<rect x=\"{start:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"9\" fill=\"var(--{colour})\"><title>{}</title></rect>\n",
        y + 1.0,
        (end - start).max(1.0),
        escape(title)
    )
}

pub fn cause(axis: &Axis, record: &Case, y: f64) -> String {
    let Some(begun) = record.instants.cause else { return String::new() };
    let lifted = record.instants.lifted.unwrap_or(begun);
    name("cause", y) + &band(axis, begun, lifted, y, "soft", "cause")
}

pub fn state(axis: &Axis, record: &Case, y: f64) -> String {
    let mut text = name("alert", y);
    for activation in &record.activations {
        let fired = activation.fired.unwrap_or(activation.last);
        text.push_str(&band(axis, activation.began, fired, y, "pending", "pending"));
        if activation.fired.is_some() {
            text.push_str(&band(axis, fired, activation.last, y, "firing", "firing"));
        }
    }
    text
}

pub fn notifications(axis: &Axis, record: &Case, channel: Channel, y: f64) -> String {
    let mut text = name(channel.name(), y);
    let arrived = [
        (record.instants.notified.get(&channel), "firing", "fill=\"var(--firing)\""),
        (
            record.instants.all_clear.get(&channel),
            "resolved",
            "fill=\"none\" stroke=\"var(--good)\" stroke-width=\"1.6\"",
        ),
    ];
    for (at, title, paint) in arrived {
        if let Some(at) = at {
            let (x, y) = (axis.x(*at), y + 5.5);
            let _ = writeln!(
                text,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.6\" {paint}><title>{title}</title></circle>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{title}</text>",
                if x > RIGHT - 50.0 { x - 46.0 } else { x + 6.0 },
                y + 3.5
            );
        }
    }
    text
}

pub fn whisker(
    axis: &Axis,
    phase: &str,
    start: Option<Timestamp>,
    took: Option<f64>,
    bound: Option<f64>,
    y: f64,
) -> String {
    let mut text = name(phase, y);
    let Some(start) = start else { return text };
    let (begun, middle) = (seconds(axis.from, start), y + 5.5);
    let from = axis.x_seconds(begun);
    if let Some(took) = took {
        let late = bound.is_some_and(|bound| took > bound + 0.001);
        let colour = if late { "bad" } else { "good" };
        let width = (axis.x_seconds(begun + took.max(0.0)) - from).max(1.0);
        let _ = writeln!(
            text,
            "<rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"5\" fill=\"var(--{colour})\">\
             <title>{phase} took {}</title></rect>",
            middle - 2.5,
            readable(took)
        );
    }
    if let Some(bound) = bound {
        let to = axis.x_seconds(begun + bound);
        // A bar at its end, or an arrow when that lies further on.
        let end = if begun + bound > axis.length + 0.001 {
            format!("M{:.1} {:.1}l4 3.5l-4 3.5", to - 4.0, middle - 3.5)
        } else {
            format!("M{to:.1} {:.1}v7", middle - 3.5)
        };
        let _ = writeln!(
            text,
            "<path d=\"M{from:.1} {middle}H{to:.1}{end}\" stroke=\"var(--ink)\" fill=\"none\">\
             <title>bound {}</title></path>",
            readable(bound)
        );
    }
    text
}
