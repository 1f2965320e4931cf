//! The rows below the panels: the cause, the alert's state, notifications, and each phase with its bound.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::record::case::Case;
use crate::report::chart::axis::Axis;
use crate::timing::clock::readable;
use crate::timing::phases::Measured;
use clients::inbox::Channel;
use load::report::plot::{RIGHT, tenth};

/// Vertical centre of a row, from its top.
pub const MIDDLE: f64 = 5.5;

/// Every row with its name, drawn at the top position.
pub fn all(axis: &Axis, record: &Case) -> Vec<(&'static str, Markup)> {
    let instants = &record.instants;
    let mut rows = Vec::new();
    if let Some(begun) = instants.cause {
        rows.push(("cause", band(axis, begun, instants.lifted.unwrap_or(begun), "fsoft", "cause")));
    }
    rows.push(("alert", state(axis, record)));
    let expected = &record.expectation.channels;
    let channels = Channel::ALL.into_iter();
    rows.extend(
        channels
            .filter(|channel| expected.contains(channel) || instants.notified.contains_key(channel))
            .map(|channel| (channel.name(), notifications(axis, record, channel))),
    );
    let whisker = |(name, start, phase): (_, Option<Timestamp>, _)| {
        (name, start.map(|start| whisker(axis, name, axis.at(start), phase)).unwrap_or_default())
    };
    rows.extend(starts(record).map(whisker));
    rows
}

/// Each phase with its start.
pub fn starts(record: &Case) -> [(&'static str, Option<Timestamp>, Measured); 5] {
    let instants = &record.instants;
    let begun = [instants.cause, instants.pending, instants.firing, instants.lifted, instants.resolved];
    let named = record.phases().named();
    std::array::from_fn(|index| (named[index].0, begun[index], named[index].1))
}

fn band(axis: &Axis, from: Timestamp, to: Timestamp, class: &str, title: &str) -> Markup {
    axis.plane.band((axis.at(from), axis.at(to)), 1.0, 9.0, class, title)
}

fn state(axis: &Axis, record: &Case) -> Markup {
    html! {
        @for activation in &record.activations {
            (band(axis, activation.began, activation.fired.unwrap_or(activation.last), "fb", "pending"))
            @if let Some(fired) = activation.fired { (band(axis, fired, activation.last, "ffiring", "firing")) }
        }
    }
}

fn notifications(axis: &Axis, record: &Case, channel: Channel) -> Markup {
    let arrived = [
        (record.instants.notified.get(&channel), "firing", "ffiring"),
        (record.instants.all_clear.get(&channel), "resolved", "ring"),
    ];
    html! {
        @for (at, title, class) in arrived {
            @if let Some(at) = at {
                @let x = axis.plane.x(axis.at(*at));
                circle class=(class) cx=(x) cy=(MIDDLE) r="3.6" { title { (title) } }
                text x=(tenth(if x > RIGHT - 50.0 { x - 46.0 } else { x + 6.0 })) y=(MIDDLE + 3.5) { (title) }
            }
        }
    }
}

fn whisker(axis: &Axis, name: &str, begun: f64, Measured { seconds, bound_seconds }: Measured) -> Markup {
    let late = seconds.zip(bound_seconds).is_some_and(|(took, bound)| took > bound + 0.001);
    html! {
        @if let Some(took) = seconds {
            @let class = if late { "fc" } else { "fgood" };
            @let title = format!("{name} took {}", readable(took));
            (axis.plane.band((begun, begun + took.max(0.0)), MIDDLE - 2.5, 5.0, class, &title))
        }
        @if let Some(bound) = bound_seconds {
            @let to = axis.plane.x(begun + bound);
            // Ends with a bar, or with an arrow if the bound is beyond the axis.
            @let end = if begun + bound > axis.length() + 0.001 {
                format!("M{} {}l4 3.5l-4 3.5", tenth(to - 4.0), MIDDLE - 3.5)
            } else {
                format!("M{to} {}v7", MIDDLE - 3.5)
            };
            path d={ "M" (axis.plane.x(begun)) " " (MIDDLE) "H" (to) (end) } stroke="var(--ink)" fill="none" {
                title { "bound " (readable(bound)) }
            }
        }
    }
}
