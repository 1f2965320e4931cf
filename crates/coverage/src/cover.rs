//! Holds every alert against the drills, unit tests, runbooks and proofs there are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::alert::{Alert, Tested};
use clients::prometheus::Labels;
use common::proof::Proof;
use drill::file::drill::Drill;
use drill::file::namesakes;
use drill::file::suite::Suite;

/// What there is for one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// The alert.
    pub alert: String,
    /// What tells its rule from others of that name; empty where there is only one.
    pub labels: BTreeMap<String, String>,
    /// Where the rule comes from.
    pub origin: String,
    /// Drills that prove it.
    pub drills: Vec<String>,
    /// When each of them last said PROVEN; those that never did are left out.
    pub proven: BTreeMap<String, Timestamp>,
    /// Drills that prove it or another rule of its name: they do not demand the labels that tell which.
    pub ambiguous: Vec<String>,
    /// Drills for it that have no cause yet, as scaffolding leaves them.
    pub unfilled: Vec<String>,
    /// Whether a unit test shows it firing.
    pub tested: bool,
    /// Whether it has a runbook.
    pub runbook: bool,
    /// When one of its drills last said PROVEN.
    pub last_proven: Option<Timestamp>,
}

impl Covered {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.drills.is_empty() && self.tested && self.runbook
    }
}

/// What alerts are held against.
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

/// Holds every alert against what there is. Rules of one name and the same labels are one alert, since nothing that
/// arrives tells them apart; of the others of that name, a drill or unit test covers the one that its labels single out,
/// and none when several fit.
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

/// Alerts of one name and the same labels in one, with every place they come from.
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

/// What labels mean of the rules of one name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    This,
    Several,
    Other,
}

/// `complete`: the labels are all that the alert has, so that a rule that sets others is not meant.
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

/// Names of drills that prove this alert, and of those that may as well prove another of its name.
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

/// The labels that not every rule of the name sets alike: what a drill demands to mean this one. A template is known
/// only when the alert fires.
fn own(same_name: &[&Alert], alert: &Alert) -> Labels {
    let differs =
        |name: &String, value: &String| same_name.iter().any(|other| other.labels.get(name) != Some(value));
    let labels = alert.labels.iter().filter(|(name, value)| differs(name, value) && !value.contains("{{"));
    labels.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
#[path = "cover_tests.rs"]
mod tests;
