//! The events of a drill, in order.

use std::time::Duration;

use crate::evidence::activation::Activation;
use crate::record::case::Case;
use crate::record::event::Moment;
use crate::timing::clock::{number, readable, seconds};
use crate::timing::phases::{Measured, last_of};
use common::duration;

/// Maximum number of other activations listed one by one.
const OTHERS: usize = 5;

/// Every recorded event, sorted by time.
#[must_use]
pub fn of(record: &Case) -> Vec<Moment> {
    let mut events = record.moments.clone();
    let mut add = |at: Option<jiff::Timestamp>, what: &str| {
        events.extend(at.map(|at| Moment { at, what: what.to_owned() }));
    };
    let instants = &record.instants;
    add(Some(record.started), "preflight begins");
    add(instants.baseline, "baseline begins");
    add(instants.cause, "cause begins");
    add(instants.lifted, "cause lifted, baseline continues");
    add(instants.pending, "pending");
    add(instants.firing, "firing");
    add(instants.resolved, "resolved");
    for (channel, at) in &instants.notified {
        add(Some(*at), &format!("notified: {channel}"));
    }
    for (channel, at) in &instants.all_clear {
        add(Some(*at), &format!("all-clear: {channel}"));
    }
    // `activeAt` has nanoseconds and samples have milliseconds, so the observed activation is also identified by its
    // firing.
    let observed = |activation: &Activation| match instants.pending {
        Some(pending) => {
            seconds(activation.began, pending).abs() < 0.002
                || (activation.fired.is_some() && activation.fired == instants.firing)
        }
        None => false,
    };
    let others: Vec<_> = record.activations.iter().filter(|activation| !observed(activation)).collect();
    for activation in others.iter().take(OTHERS) {
        let state = if activation.fired.is_some() { "active" } else { "pending" };
        add(Some(activation.began), &format!("{state} (another activation)"));
    }
    if let Some(last) = others.get(OTHERS..).and_then(<[_]>::last) {
        add(Some(last.began), &format!("the last of {} more activations", others.len() - OTHERS));
    }
    for unexpected in &record.unexpected {
        add(Some(unexpected.at), &format!("{} {} (unexplained)", unexpected.alert, unexpected.how));
    }
    events.sort_by_key(|event| event.at);
    events
}

/// Times until every channel had the firing and the resolved notification, in seconds since the start of the cause,
/// with their objectives.
#[must_use]
pub fn objectives(record: &Case) -> [(&'static str, Measured); 2] {
    let Case { instants, objective, expectation, .. } = record;
    let measured = |received, objective: Option<Duration>| Measured {
        seconds: instants
            .cause
            .zip(last_of(received, &expectation.channels))
            .map(|(cause, at)| seconds(cause, at)),
        bound_seconds: objective.map(|objective| objective.as_secs_f64()),
    };
    [
        ("notified", measured(&instants.notified, objective.notified)),
        ("all-clear", measured(&instants.all_clear, objective.all_clear)),
    ]
}

/// `expr > 0.05 for 6s, group api of api.yml`.
#[must_use]
pub fn rule(record: &Case) -> Option<String> {
    let rule = record.expectation.rule_under_test.as_ref()?;
    let hold = duration::format(rule.hold);
    Some(format!("{} for {hold}, group {} of {}", rule.query, rule.group, rule.file))
}

/// A sparkline of the rule's value: `▁▂▃▅▇ 0 to 0.0812, threshold > 0.05`.
#[must_use]
pub fn value(record: &Case) -> Option<String> {
    let value = &record.evidence.as_ref()?.value;
    let (first, last) = (value.points.first()?, value.points.last()?);
    let values = value.points.iter().map(|(_, value)| *value).filter(|value| value.is_finite());
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return None;
    }
    let against = value.operator.as_ref().zip(value.threshold);
    let against = against
        .map_or_else(String::new, |(operator, value)| format!(", threshold {operator} {}", number(value)));
    let span = seconds(first.0, last.0);
    let points: Vec<f64> = value.points.iter().map(|(_, value)| *value).collect();
    Some(format!(
        "{} {} to {}{against}, over {}",
        sparkline(&points, low, high),
        number(low),
        number(high),
        readable(span)
    ))
}

/// Maximum number of columns.
const SPARKS: usize = 48;

fn sparkline(points: &[f64], low: f64, high: f64) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let columns = points.len().min(SPARKS);
    let height = |value: f64| {
        let part = if high > low { (value.clamp(low, high) - low) / (high - low) } else { 0.0 };
        BARS[((part * 7.0).round() as usize).min(7)]
    };
    (0..columns)
        .map(|column| {
            // The maximum of the points of a column, so that no peak is lost.
            let share = &points[column * points.len() / columns..(column + 1) * points.len() / columns];
            height(share.iter().copied().fold(f64::NEG_INFINITY, f64::max))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::tests::{at, record};
    use clients::prometheus::Labels;

    #[test]
    fn sorts_events_by_time() {
        let mut record = record();
        record.moments.push(Moment { at: at(2.0), what: "no longer pending".into() });
        let activation =
            |began, fired| Activation { labels: Labels::new(), began: at(began), fired, last: at(29.0) };
        record.activations = vec![activation(1.0, None), activation(9.001, Some(at(15.0)))];
        let events = of(&record);
        let texts: Vec<_> = events.iter().map(|event| event.what.as_str()).collect();
        assert_eq!(
            texts,
            [
                "preflight begins",
                "baseline begins",
                "cause begins",
                "pending (another activation)",
                "no longer pending",
                "pending",
                "firing",
                "notified: webhook",
                "notified: slack",
                "cause lifted, baseline continues",
                "resolved",
                "all-clear: slack",
                "all-clear: webhook",
            ]
        );
    }

    #[test]
    fn counts_further_activations() {
        let mut record = record();
        let one = |began: u32| Activation {
            labels: Labels::new(),
            began: at(began.into()),
            fired: None,
            last: at(29.0),
        };
        record.activations = (10..30).map(one).collect();
        let events = of(&record);
        let times =
            |what: &str| events.iter().filter(|event| event.what == what).map(|it| it.at).collect::<Vec<_>>();
        let shown: Vec<_> = (10..15).map(|began| at(began.into())).collect();
        assert_eq!(times("pending (another activation)"), shown);
        assert_eq!(times("the last of 15 more activations"), [at(29.0)]);
    }

    #[test]
    fn draws_the_value() {
        assert_eq!(sparkline(&[0.0, 0.5, 1.0], 0.0, 1.0), "▁▅█");
        assert_eq!(sparkline(&[3.0, 3.0], 3.0, 3.0), "▁▁");
        let mut many = vec![0.0; 480];
        many[77] = 1.0;
        let drawn = sparkline(&many, 0.0, 1.0);
        assert_eq!((drawn.chars().count(), drawn.matches('█').count()), (SPARKS, 1));
        assert_eq!(value(&record()).unwrap(), "▁▅█ 0 to 0.08, threshold > 0.05, over 2.0 s");
    }
}
