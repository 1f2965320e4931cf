//! Whether several reports may be taken as one, and what that would hide.

use itertools::Itertools;

use crate::error::LoadError;
use crate::report::model::{Loop, Report};
use crate::report::notes;
use crate::verdict::Outcome;
use crate::verdict::threshold::Threshold;

/// The first two that are the same run, or of which one holds the other: it would count twice. A merged report is known
/// by the earliest of its runs alone.
#[must_use]
pub fn twice(reports: &[Report]) -> Option<(usize, usize)> {
    let same = |one: &Report, other: &Report| {
        let held = one.runs > 1 || other.runs > 1;
        // To the nanosecond: no machine starts two runs at one instant.
        one.started_at == other.started_at && (held || one.host.name == other.host.name)
    };
    let mut pairs = reports.iter().enumerate().tuple_combinations();
    pairs.find(|((_, one), (_, other))| same(one, other)).map(|((at, _), (to, _))| (at, to))
}

/// Why figures of all together may say little: a sentence each.
#[must_use]
pub fn doubts(reports: &[Report]) -> Vec<String> {
    let mut doubts = Vec::new();
    let targets: Vec<&str> = reports.iter().map(|report| report.target.as_str()).sorted().dedup().collect();
    if targets.len() > 1 {
        doubts.push(format!(
            "the runs have different targets, {}: latencies are of all of them",
            targets.join(", ")
        ));
    }
    if reports.iter().any(|report| report.r#loop != reports[0].r#loop) {
        let closed = reports.iter().filter(|report| report.r#loop == Loop::Closed).count();
        doubts.push(format!(
            "{closed} of {} runs is a closed loop, whose times flatter the target: they are no response times of a schedule",
            reports.len()
        ));
    }
    doubts
}

/// What became of each report that was not fine though all together are: its index and its verdict in words.
#[must_use]
pub fn hidden(reports: &[Report], merged: &Report) -> Vec<(usize, String)> {
    if Outcome::of(merged) != Outcome::Fine {
        return Vec::new();
    }
    let bad = reports.iter().enumerate().filter(|(_, report)| Outcome::of(report) != Outcome::Fine);
    bad.map(|(at, report)| (at, notes::outcome(report))).collect()
}

/// Every threshold that any of them was held against, once.
///
/// # Errors
/// When one cannot be read.
pub fn thresholds(reports: &[Report]) -> Result<Vec<Threshold>, LoadError> {
    let mut thresholds: Vec<Threshold> = Vec::new();
    for held in reports.iter().flat_map(|report| &report.thresholds) {
        if !thresholds.iter().any(|threshold| threshold.text == held.threshold) {
            thresholds.push(held.threshold.parse()?);
        }
    }
    Ok(thresholds)
}
