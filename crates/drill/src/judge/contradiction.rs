//! Contradictory timestamps: an end before its beginning.

use jiff::Timestamp;

use crate::record::case::Case;
use crate::timing::clock::{precise_time_of_day, readable, seconds};
use crate::timing::phases::{STAMP_SECONDS, last_of};

/// The first pair of timestamps in the wrong order, as text that names the system of each.
#[must_use]
pub fn contradiction(case: &Case) -> Option<String> {
    let (instants, channels) = (&case.instants, &case.expectation.channels);
    let notified = last_of(&instants.notified, channels);
    let all_clear = last_of(&instants.all_clear, channels);
    let alert = "something else triggered the alert";
    // A drill of the heartbeat follows no rule: its phases count from the cause and from its lifting.
    let (cause, lifted) = if case.follows { (None, None) } else { (instants.cause, instants.lifted) };
    let pairs = [
        (
            "notified",
            "receiver clock",
            notified,
            "the cause began",
            "local clock",
            cause,
            "the heartbeat was missing before",
        ),
        (
            "all-clear",
            "receiver clock",
            all_clear,
            "the cause was lifted",
            "local clock",
            lifted,
            "something else restored the heartbeat",
        ),
        (
            "pending",
            "Prometheus clock",
            instants.pending,
            "the cause began",
            "local clock",
            instants.cause,
            alert,
        ),
        (
            "resolved",
            "Prometheus clock",
            instants.resolved,
            "the cause was lifted",
            "local clock",
            instants.lifted_by(instants.resolved),
            "the condition ended too early",
        ),
        ("notified", "receiver clock", notified, "it fired", "Prometheus clock", instants.firing, ""),
        ("all-clear", "receiver clock", all_clear, "it resolved", "Prometheus clock", instants.resolved, ""),
    ];
    pairs.into_iter().find_map(|(what, by, at, before, before_by, began, why)| {
        let (at, began): (Timestamp, Timestamp) = at.zip(began)?;
        let early = -seconds(began, at);
        // A notification has a time of its own; that of a sample may be early.
        let sample = before_by == "Prometheus clock" || by == "Prometheus clock";
        let allowed = if sample { case.expectation.stamped_early().as_secs_f64() } else { 0.0 };
        let or = if why.is_empty() { String::new() } else { format!("{why}, or ") };
        (early > STAMP_SECONDS + allowed).then(|| {
            format!(
                "{what} at {} ({by}), {} before {before} at {} ({before_by}): {or}the clocks differ",
                precise_time_of_day(at),
                readable(early),
                precise_time_of_day(began)
            )
        })
    })
}

#[cfg(test)]
#[path = "contradiction_tests.rs"]
mod tests;
