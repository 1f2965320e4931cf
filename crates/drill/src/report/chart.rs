//! A timeline chart of a drill as inline SVG: traffic, the rule's value and threshold, the cause, the alert's state,
//! notifications, and each phase with its bound.

mod axis;
mod panels;
mod rows;

use jiff::Timestamp;
use maud::{Markup, html};

use crate::record::case::Case;
use crate::report::chart::axis::Axis;
use crate::timing::clock::seconds;
use load::report::axis::time_ticks;
use load::report::plot::svg as image;

/// Maximum length of the axis, as a multiple of the time to the last event. Later bounds are cut off.
const FAR: f64 = 2.0;
/// Height of a row.
const ROW: f64 = 15.0;

/// The chart; empty for a drill without traffic.
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
    image(bottom + 22.0, &format!("Chart of {}; the timeline below has the same events", record.alert), &body)
}

fn axis(record: &Case, from: Timestamp) -> Option<Axis> {
    let instants = &record.instants;
    let mut latest = vec![instants.pending, instants.firing, instants.lifted, instants.resolved];
    latest.extend(instants.notified.values().chain(instants.all_clear.values()).map(|at| Some(*at)));
    let points = record.evidence.iter().flat_map(|evidence| &evidence.value.points);
    latest.extend(points.map(|(at, _)| Some(*at)));
    latest.push(record.traffic.end());
    let mut length = latest.into_iter().flatten().map(|at| seconds(from, at)).fold(0.0, f64::max);
    // A bound of hours, as for an alert on the absence of events, must not compress the rest of the chart.
    let most = length * FAR;
    for (_, start, phase) in rows::starts(record) {
        if let (Some(start), Some(bound)) = (start, phase.bound_seconds) {
            length = length.max((seconds(from, start) + bound).min(most));
        }
    }
    (length > 0.0).then(|| Axis::new(from, length))
}

/// Ticks in seconds since the start of the cause.
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
    fn draws_every_event_within_the_image() {
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
    fn draws_every_channel_and_the_traffic() {
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
            "baseline, expected responses: up to 40 requests per second",
            "cause, expected responses: up to 37 requests per second",
            "unexpected responses: up to 3 requests per second",
            "<title>cause</title>",
        ] {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
        assert!(!drawn.contains("no response") && !drawn.contains("NaN"), "{drawn}");
    }

    #[test]
    fn limits_the_axis_for_a_bound_of_hours() {
        let mut long = record();
        let bounds = long.expectation.bounds.as_mut().unwrap();
        bounds.resolved = std::time::Duration::from_secs(129_600);
        let from = at(-5.0);
        long.instants.baseline = Some(from);
        let length = axis(&long, from).unwrap().length();
        assert!((length - 80.0).abs() < 0.01, "twice the 40 s to the last event: {length}");
        let drawn = svg(&long).into_string();
        assert!(
            drawn.contains("l4 3.5l-4 3.5\" stroke=\"var(--ink)\" fill=\"none\"><title>bound 36 h</title>"),
            "{drawn}"
        );
        assert_eq!(drawn.matches("l4 3.5").count(), 1);
    }

    #[test]
    fn drill_that_never_started_has_no_chart() {
        let mut refused = record();
        refused.instants = crate::timing::phases::Instants::default();
        assert_eq!(svg(&refused).into_string(), "");
        // The axis needs at least one event to have a length.
        refused.evidence = None;
        refused.instants.baseline = Some(at(0.0));
        assert_eq!(svg(&refused).into_string(), "");
    }
}
