//! Finds the drills, unit tests, runbooks and proofs of every alert.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::alert::{Alert, Tested};
use clients::prometheus::Labels;
use common::proof::Proof;
use drill::file::drill::Drill;
use drill::file::namesakes;
use drill::file::suite::Suite;

/// The coverage of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// The alert.
    pub alert: String,
    /// Labels that distinguish the rule from others of the same name; empty if there are none.
    pub labels: BTreeMap<String, String>,
    /// The files or groups that define the rule.
    pub origin: String,
    /// Drills that prove it.
    pub drills: Vec<String>,
    /// The last proof of each of these drills that has one.
    pub proven: BTreeMap<String, Timestamp>,
    /// Drills that prove it or another rule of the same name, because they do not require the labels that distinguish
    /// them.
    pub ambiguous: Vec<String>,
    /// Drills for it without a cause, as written by scaffolding.
    pub unfilled: Vec<String>,
    /// Whether a unit test expects it to fire.
    pub tested: bool,
    /// Whether it has a runbook.
    pub runbook: bool,
    /// The time of its last proof.
    pub last_proven: Option<Timestamp>,
}

impl Covered {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.drills.is_empty() && self.tested && self.runbook
    }
}

/// The inputs of the coverage besides the alerts.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Drill files.
    pub suite: Suite,
    /// Alerts that a unit test expects to fire.
    pub tested: Vec<Tested>,
    /// Alerts that have a runbook.
    pub runbooks: BTreeSet<String>,
    /// Last proofs.
    pub proofs: Vec<Proof>,
}

/// Computes the coverage of every alert. Rules with the same name and labels are one alert, because their notifications
/// cannot be distinguished. Of other rules with the same name, a drill or unit test covers the one that its labels
/// select, and none when several match.
#[must_use]
pub fn cover(alerts: &[Alert], holdings: &Holdings) -> Vec<Covered> {
    let alerts = merged(alerts);
    alerts
        .iter()
        .map(|alert| {
            let same_name: Vec<&Alert> = alerts.iter().filter(|other| other.name == alert.name).collect();
            let drills = holdings.suite.drills.iter().map(|(_, drill)| drill);
            let mut tests = holdings.tested.iter().filter(|(name, _)| *name == alert.name);
            let unfilled = holdings.suite.unfilled.iter().map(|it| &it.drill);
            let drills = sort(drills, &same_name, alert);
            let proofs = holdings.proofs.iter();
            let proofs = proofs.filter(|it| it.alert == alert.name && drills.this.contains(&it.drill));
            let proven: BTreeMap<String, Timestamp> =
                proofs.map(|proof| (proof.drill.clone(), proof.proven_at)).collect();
            Covered {
                alert: alert.name.clone(),
                labels: own(&same_name, alert),
                origin: alert.origin.clone(),
                tested: tests.any(|(_, labels)| meant(&same_name, alert, labels, true) == Meant::This),
                runbook: holdings.runbooks.contains(&alert.name),
                last_proven: proven.values().max().copied(),
                proven,
                drills: drills.this,
                ambiguous: drills.several,
                unfilled: sort(unfilled, &same_name, alert).this,
            }
        })
        .collect()
}

/// Merges alerts with the same name and labels, and collects the places that define them.
fn merged(alerts: &[Alert]) -> Vec<Alert> {
    let mut merged: Vec<Alert> = Vec::new();
    for alert in alerts {
        match merged.iter_mut().find(|it| it.name == alert.name && it.labels == alert.labels) {
            Some(same) if same.origin.split(", ").any(|origin| origin == alert.origin) => {}
            Some(same) => same.origin = format!("{}, {}", same.origin, alert.origin),
            None => merged.push(alert.clone()),
        }
    }
    merged
}

/// Which of the rules with one name these labels select.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    This,
    Several,
    Other,
}

/// `complete`: these are all labels of the alert, so a rule that sets others does not match.
fn meant(same_name: &[&Alert], alert: &Alert, labels: &Labels, complete: bool) -> Meant {
    let has_all =
        |it: &Alert| it.labels.iter().all(|(name, value)| namesakes::fits(labels.get(name), value, false));
    let same_name: Vec<&Alert> = same_name.iter().copied().filter(|it| !complete || has_all(it)).collect();
    let rules: Vec<&Labels> = same_name.iter().map(|it| &it.labels).collect();
    let found = namesakes::meant(labels, &rules);
    match (found.iter().any(|at| same_name[*at].labels == alert.labels), found.len()) {
        (true, 1) => Meant::This,
        (true, _) => Meant::Several,
        (false, _) => Meant::Other,
    }
}

/// Names of drills that prove this alert, and of those that may prove another of the same name instead.
#[derive(Default)]
struct Sorted {
    this: Vec<String>,
    several: Vec<String>,
}

fn sort<'a>(drills: impl Iterator<Item = &'a Drill>, same_name: &[&Alert], alert: &Alert) -> Sorted {
    let mut sorted = Sorted::default();
    for drill in drills.filter(|drill| drill.proves.alert.value == alert.name) {
        match meant(same_name, alert, &drill.proves.labels, false) {
            Meant::This => sorted.this.push(drill.drill.value.clone()),
            Meant::Several => sorted.several.push(drill.drill.value.clone()),
            Meant::Other => {}
        }
    }
    sorted
}

/// The labels in which the rules of the name differ; a drill requires them to select this one. The value of a template
/// is known only when the alert fires.
fn own(same_name: &[&Alert], alert: &Alert) -> Labels {
    let differs =
        |name: &String, value: &String| same_name.iter().any(|other| other.labels.get(name) != Some(value));
    let labels = alert.labels.iter().filter(|(name, value)| differs(name, value) && !value.contains("{{"));
    labels.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
#[path = "cover_tests.rs"]
mod tests;
