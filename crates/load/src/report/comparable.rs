//! Checks before several reports are merged.

use itertools::Itertools;

use crate::error::LoadError;
use crate::report::model::{Loop, Report};
use crate::report::notes;
use crate::verdict::Outcome;
use crate::verdict::threshold::Threshold;

/// The first two reports of the same run, or of which one contains the other: the run would count twice. A merged
/// report is identified by the earliest of its runs.
#[must_use]
pub fn twice(reports: &[Report]) -> Option<(usize, usize)> {
    let same = |one: &Report, other: &Report| {
        let held = one.runs > 1 || other.runs > 1;
        // Start times have nanosecond precision, so one machine never starts two runs at the same time.
        one.started_at == other.started_at && (held || one.host.name == other.host.name)
    };
    let mut pairs = reports.iter().enumerate().tuple_combinations();
    pairs.find(|((_, one), (_, other))| same(one, other)).map(|((at, _), (to, _))| (at, to))
}

/// Warnings about reports that are hard to compare, one sentence each.
#[must_use]
pub fn doubts(reports: &[Report]) -> Vec<String> {
    let mut doubts = Vec::new();
    let targets: Vec<&str> = reports.iter().map(|report| report.target.as_str()).sorted().dedup().collect();
    if targets.len() > 1 {
        doubts.push(format!(
            "the runs have different targets ({}); the merged latencies cover all of them",
            targets.join(", ")
        ));
    }
    if reports.iter().any(|report| report.r#loop != reports[0].r#loop) {
        let closed = reports.iter().filter(|report| report.r#loop == Loop::Closed).count();
        doubts.push(format!(
            "{closed} of {} runs used a closed loop, whose response times look better than those of an open loop",
            reports.len()
        ));
    }
    doubts
}

/// The reports that failed although the merged report is fine: the index and the outcome of each.
#[must_use]
pub fn hidden(reports: &[Report], merged: &Report) -> Vec<(usize, String)> {
    if Outcome::of(merged) != Outcome::Fine {
        return Vec::new();
    }
    let bad = reports.iter().enumerate().filter(|(_, report)| Outcome::of(report) != Outcome::Fine);
    bad.map(|(at, report)| (at, notes::outcome(report))).collect()
}

/// The thresholds of all reports, without duplicates.
///
/// # Errors
/// When a threshold is invalid.
pub fn thresholds(reports: &[Report]) -> Result<Vec<Threshold>, LoadError> {
    let mut thresholds: Vec<Threshold> = Vec::new();
    for held in reports.iter().flat_map(|report| &report.thresholds) {
        if !thresholds.iter().any(|threshold| threshold.text == held.threshold) {
            thresholds.push(held.threshold.parse()?);
        }
    }
    Ok(thresholds)
}
