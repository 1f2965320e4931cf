//! A drill on a time axis, as inline SVG: traffic, the rule's value against its threshold, the cause, the alert's state,
//! notifications, and each phase with its bound as a whisker.

mod axis;
mod panels;
mod rows;

use jiff::Timestamp;
use maud::{Markup, html};

use crate::record::case::Case;
use crate::report::chart::axis::Axis;
use crate::timing::clock::seconds;
use load::report::axis::time_ticks;
use load::report::plot::svg as picture;

/// How much further than what happened the axis goes for the sake of bounds, at most.
const FAR: f64 = 2.0;
/// Height of a row.
const ROW: f64 = 15.0;

/// The picture; empty for a drill that had no traffic.
#[must_use]
pub fn svg(record: &Case) -> Markup {
    let Some(axis) = record.instants.baseline.and_then(|from| axis(record, from)) else { return html! {} };
    let (panels, top) = panels::draw(&axis, record);
    let rows = rows::all(&axis, record);
    let bottom = top + ROW * rows.len() as f64 + 2.0;
    let body = html! {
        (panels)
        @for (index, (name, row)) in rows.iter().enumerate() {
            g transform={ "translate(0 " (top + ROW * index as f64) ")" } { (axis.plane.beside(rows::MIDDLE, name)) (row) }
        }
        (axis.plane.beside(bottom + 11.5, "seconds"))
        (axis.plane.marks(bottom, ticks(&axis, record)))
    };
    picture(
        bottom + 22.0,
        &format!("{} on a time axis; the same is in the timeline below", record.alert),
        &body,
    )
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
    for (_, start, phase) in rows::starts(record) {
        if let (Some(start), Some(bound)) = (start, phase.bound_seconds) {
            length = length.max((seconds(from, start) + bound).min(most));
        }
    }
    (length > 0.0).then(|| Axis::new(from, length))
}

/// Seconds since the cause began, at round distances.
fn ticks(axis: &Axis, record: &Case) -> Vec<(f64, String)> {
    let before = record.instants.cause.map_or(0.0, |cause| axis.at(cause));
    let step = time_ticks(axis.length()).get(1).copied().unwrap_or(axis.length());
    let first = (-before / step).ceil() as i64;
    let ticks = (first..).map(|tick| tick as f64 * step).take_while(|tick| tick + before <= axis.length());
    ticks.map(|tick| (tick + before, tick.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::traffic::{Load, Stretch, Traffic};
    use crate::report::table::tests::{at, record};
    use clients::inbox::Channel;
    use load::record::Row;
    use load::report::plot::WIDTH;

    #[test]
    fn everything_that_happened_is_drawn_within_the_picture() {
        let drawn = svg(&record()).into_string();
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
        let without = svg(&full).into_string();
        assert!(!without.contains("requests/s"), "{without}");
        full.traffic =
            Traffic::of(vec![stretch(Load::Baseline, -5.0, 40, 0), stretch(Load::Cause, 15.0, 37, 3)]);
        let drawn = svg(&full).into_string();
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
        let length = axis(&long, from).unwrap().length();
        assert!((length - 80.0).abs() < 0.01, "twice the 40 s to the last news: {length}");
        let drawn = svg(&long).into_string();
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
        assert_eq!(svg(&refused).into_string(), "");
        // Traffic without anything to see yet: an axis is there as soon as something gives it a length.
        refused.evidence = None;
        refused.instants.baseline = Some(at(0.0));
        assert_eq!(svg(&refused).into_string(), "");
    }
}
