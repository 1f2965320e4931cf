//! Coverage: which alerts have a drill, a unit test and a runbook, and when each was last proven.
//!
//! [`rules`] reads the alerts from rule files or a Prometheus, [`report`] tells, [`scaffold`] writes drill
//! files for those that have none, [`cli`] is the command.

pub mod cli;
pub mod report;
pub mod rules;
pub mod scaffold;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::drill::suite::Suite;
use crate::proof::Proof;

/// An alerting rule. Rules of one name are told apart by their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// `alertname`.
    pub name: String,
    /// Labels the rule sets.
    pub labels: BTreeMap<String, String>,
    /// The file or group it comes from.
    pub origin: String,
}

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
    pub fn whole(&self) -> bool {
        !self.drills.is_empty() && self.tested && self.runbook
    }
}

/// What alerts are held against.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Drill files.
    pub suite: Suite,
    /// Alerts that a unit test expects to fire.
    pub tested: Vec<rules::Tested>,
    /// Alerts that have a runbook.
    pub runbooks: BTreeSet<String>,
    /// Last proofs.
    pub proofs: Vec<Proof>,
}

/// Holds every alert against what there is.
#[must_use]
pub fn cover(alerts: &[Alert], holdings: &Holdings) -> Vec<Covered> {
    alerts
        .iter()
        .map(|alert| {
            let twins: Vec<_> = alerts.iter().filter(|other| other.name == alert.name).collect();
            // Of several rules of one name, what is meant must say so by a label that the others do not have.
            let own: BTreeMap<String, String> = alert
                .labels
                .iter()
                .filter(|(name, value)| twins.iter().any(|twin| twin.labels.get(*name) != Some(*value)))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            let meant = |labels: &BTreeMap<String, String>| {
                twins.len() == 1 || own.iter().any(|(name, value)| labels.get(name) == Some(value))
            };
            let drills: Vec<String> = holdings
                .suite
                .drills
                .iter()
                .filter(|(_, drill)| drill.proves.alert.value == alert.name && meant(&drill.proves.labels))
                .map(|(_, drill)| drill.drill.value.clone())
                .collect();
            let proofs = holdings.proofs.iter();
            Covered {
                last_proven: proofs
                    .filter(|proof| proof.alert == alert.name && drills.contains(&proof.drill))
                    .map(|proof| proof.proven_at)
                    .max(),
                tested: holdings.tested.iter().any(|(name, labels)| *name == alert.name && meant(labels)),
                runbook: holdings.runbooks.contains(&alert.name),
                alert: alert.name.clone(),
                labels: own,
                origin: alert.origin.clone(),
                drills,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::drill::file;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn alert(name: &str, severity: &str) -> Alert {
        Alert {
            name: name.into(),
            labels: labels(&[("severity", severity), ("service", "api")]),
            origin: "api.yml".into(),
        }
    }

    fn holdings() -> Holdings {
        let drill = |name: &str, proves: &str| {
            let text = format!("drill: {name}\nproves: {proves}\ncause: {{stop: api}}\n");
            (name.into(), file::parse(Path::new("a.yaml"), &text).unwrap())
        };
        let proof = |alert: &str, drill: &str, second| Proof {
            alert: alert.into(),
            drill: drill.into(),
            proven_at: Timestamp::from_second(second).unwrap(),
            scale: 20.0,
            phases: BTreeMap::new(),
        };
        Holdings {
            suite: Suite {
                drills: vec![
                    drill("down", "{alert: Down}"),
                    drill("burn", "{alert: Burn, labels: {severity: critical}}"),
                ],
                ambient: Vec::new(),
            },
            tested: vec![
                ("Down".into(), labels(&[("severity", "critical")])),
                ("Burn".into(), labels(&[("severity", "warning")])),
            ],
            runbooks: ["Down".into(), "Burn".into()].into(),
            proofs: vec![proof("Down", "down", 5), proof("Down", "gone", 9), proof("Burn", "burn", 7)],
        }
    }

    #[test]
    fn each_rule_is_held_against_what_there_is() {
        let alerts = [
            alert("Down", "critical"),
            alert("Burn", "critical"),
            alert("Burn", "warning"),
            alert("New", "none"),
        ];
        let found = cover(&alerts, &holdings());
        let seen: Vec<_> = found
            .iter()
            .map(|it| (it.drills.len(), it.tested, it.runbook, it.last_proven.map(Timestamp::as_second)))
            .collect();
        assert_eq!(
            seen,
            [
                (1, true, true, Some(5)),
                (1, false, true, Some(7)),
                (0, true, true, None),
                (0, false, false, None),
            ]
        );
        assert_eq!(found.iter().map(Covered::whole).collect::<Vec<_>>(), [true, false, false, false]);
        assert_eq!(found[1].labels, labels(&[("severity", "critical")]));
        assert!(found[0].labels.is_empty());
    }
}
