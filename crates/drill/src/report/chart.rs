//! A drill on a time axis, as inline SVG: traffic, the rule's value against its threshold, the cause, the alert's state,
//! notifications, and each phase with its bound as a whisker.

mod axis;
mod panels;
mod rows;

use std::fmt::Write;

use jiff::Timestamp;

use crate::record::case::Case;
use crate::report::chart::axis::{Axis, ROW, WIDTH, name};
use crate::timing::clock::seconds;
use clients::inbox::Channel;
use common::markup::escape;

/// How much further than what happened the axis goes for the sake of bounds, at most.
const FAR: f64 = 2.0;

/// The picture; empty for a drill that had no traffic.
#[must_use]
pub fn svg(record: &Case) -> String {
    let Some(from) = record.instants.baseline else { return String::new() };
    let Some(axis) = axis(record, from) else { return String::new() };
    let (mut body, mut y) = panels::draw(&axis, record);
    for row in [rows::cause(&axis, record, y), rows::state(&axis, record, y + ROW)] {
        body.push_str(&row);
    }
    y += 2.0 * ROW;
    for channel in Channel::ALL {
        if record.expectation.channels.contains(&channel) || record.instants.notified.contains_key(&channel) {
            body.push_str(&rows::notifications(&axis, record, channel, y));
            y += ROW;
        }
    }
    for (name, start, phase) in starts(record) {
        body.push_str(&rows::whisker(&axis, name, start, phase.seconds, phase.bound_seconds, y));
        y += ROW;
    }
    body.push_str(&ticks(&axis, record, y + 2.0));
    let height = y + 24.0;
    let label = escape(&format!("{} on a time axis; the same is in the timeline below", record.alert));
    format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{label}\">\n{body}</svg>\n")
}

fn axis(record: &Case, from: Timestamp) -> Option<Axis> {
    let instants = &record.instants;
    let mut latest = vec![instants.pending, instants.firing, instants.lifted, instants.resolved];
    latest.extend(instants.notified.values().chain(instants.all_clear.values()).map(|at| Some(*at)));
    let points = record.evidence.iter().flat_map(|evidence| &evidence.value.points);
    latest.extend(points.map(|(at, _)| Some(*at)));
    latest.push(record.traffic.end());
    let mut length = latest.into_iter().flatten().map(|at| seconds(from, at)).fold(0.0, f64::max);
    // A bound of hours (of an alert on what did not happen for days) must not press minutes into one place.
    let most = length * FAR;
    for (_, start, phase) in starts(record) {
        if let (Some(start), Some(bound)) = (start, phase.bound_seconds) {
            length = length.max((seconds(from, start) + bound).min(most));
        }
    }
    (length > 0.0).then_some(Axis { from, length })
}

/// Each phase with the instant it began.
fn starts(record: &Case) -> [(&'static str, Option<Timestamp>, crate::timing::phases::Measured); 5] {
    let instants = &record.instants;
    let begun = [instants.cause, instants.pending, instants.firing, instants.lifted, instants.resolved];
    let named = record.phases().named();
    std::array::from_fn(|index| (named[index].0, begun[index], named[index].1))
}

/// Seconds since the cause began, at round distances.
fn ticks(axis: &Axis, record: &Case, y: f64) -> String {
    let origin = record.instants.cause.unwrap_or(axis.from);
    let before = seconds(axis.from, origin);
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0]
        .into_iter()
        .find(|step| axis.length / step <= 8.0)
        .unwrap_or(7200.0);
    let mut text = name("seconds", y + 3.0);
    let mut tick = (-before / step).ceil() + 0.0; // adding zero turns -0 into 0
    while tick * step + before <= axis.length {
        let x = axis.x_seconds(tick * step + before);
        let _ = writeln!(
            text,
            "<path d=\"M{x:.1} {y:.1}v4\" stroke=\"var(--soft)\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            y + 13.0,
            tick * step
        );
        tick += 1.0;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::traffic::{Load, Stretch, Traffic};
    use crate::report::table::tests::{at, record};
    use load::record::Row;

    #[test]
    fn everything_that_happened_is_drawn_within_the_picture() {
        let drawn = svg(&record());
        for part in [
            "<title>firing</title>",
            "<title>resolved</title>",
            "pending took 9.0 s",
            "bound 11.4 s",
            "&gt; 0.05",
        ] {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        for x in drawn.split(" x=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse::<f64>().ok()) {
            assert!((0.0..=WIDTH).contains(&x), "{x}");
        }
    }

    #[test]
    fn every_channel_and_the_traffic_of_baseline_and_cause_have_their_place() {
        let mut full = record();
        full.expectation.channels = Channel::ALL.to_vec();
        full.instants.notified = Channel::ALL.into_iter().map(|channel| (channel, at(17.0))).collect();
        full.instants.all_clear = Channel::ALL.into_iter().map(|channel| (channel, at(35.0))).collect();
        let stretch = |load, began, expected, unexpected| Stretch {
            load,
            began: at(began),
            played: Some(20.0),
            rows: (0..20).map(|second| Row { second, expected, unexpected, ..Row::default() }).collect(),
            step: 1,
        };
        let without = svg(&full);
        assert!(!without.contains("requests/s"), "{without}");
        full.traffic =
            Traffic::of(vec![stretch(Load::Baseline, -5.0, 40, 0), stretch(Load::Cause, 15.0, 37, 3)]);
        let drawn = svg(&full);
        for channel in Channel::ALL {
            assert!(drawn.contains(&format!(">{}</text>", channel.name())), "{channel} in {drawn}");
        }
        assert_eq!(drawn.matches("<title>firing</title>").count(), Channel::ALL.len());
        assert_eq!(drawn.matches("<title>resolved</title>").count(), Channel::ALL.len());
        for part in [
            ">traffic</text>",
            "of the baseline, answered as expected: up to 40 requests a second",
            "of the cause, answered as expected: up to 37 requests a second",
            "otherwise than expected: up to 3 requests a second",
            "<title>cause</title>",
        ] {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
        assert!(!drawn.contains("no answer") && !drawn.contains("NaN"), "{drawn}");
    }

    #[test]
    fn a_bound_of_hours_leaves_room_for_what_happened() {
        let mut long = record();
        let bounds = long.expectation.bounds.as_mut().unwrap();
        bounds.resolved = std::time::Duration::from_secs(129_600);
        let from = at(-5.0);
        long.instants.baseline = Some(from);
        let axis = axis(&long, from).unwrap();
        assert!((axis.length - 80.0).abs() < 0.01, "twice the 40 s to the last news: {}", axis.length);
        let drawn = svg(&long);
        assert!(
            drawn.contains("l4 3.5l-4 3.5\" stroke=\"var(--ink)\" fill=\"none\"><title>bound 36 h</title>"),
            "{drawn}"
        );
        assert_eq!(drawn.matches("l4 3.5").count(), 1);
    }

    #[test]
    fn a_drill_that_never_began_has_no_picture() {
        let mut refused = record();
        refused.instants = crate::timing::phases::Instants::default();
        assert_eq!(svg(&refused), "");
        // Traffic without anything to see yet: an axis is there as soon as something gives it a length.
        refused.evidence = None;
        refused.instants.baseline = Some(at(0.0));
        assert_eq!(svg(&refused), "");
    }
}
