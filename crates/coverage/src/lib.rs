//! Coverage: which alerts have a drill, a unit test and a runbook, and when each was last proven.
//!
//! [`rules`] reads the alerts from rule files or a Prometheus, [`report`] tells, [`scaffold`] writes drill
//! files for those that have none, [`cli`] is the command.

pub mod report;
pub mod rules;
pub mod scaffold;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use clients::prometheus::Labels;
use common::proof::Proof;
use drill::file::drill::Drill;
use drill::file::suite::Suite;
use drill::file::twins;

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

/// Holds every alert against what there is. Rules of one name and the same labels are one alert, since nothing that
/// arrives tells them apart; of the others of that name, a drill or unit test covers the one that its labels single out,
/// and none when several fit.
#[must_use]
pub fn cover(alerts: &[Alert], holdings: &Holdings) -> Vec<Covered> {
    let alerts = merged(alerts);
    alerts
        .iter()
        .map(|alert| {
            let twins: Vec<&Alert> = alerts.iter().filter(|other| other.name == alert.name).collect();
            let drills = holdings.suite.drills.iter().map(|(_, drill)| drill);
            let mut tests = holdings.tested.iter().filter(|(name, _)| *name == alert.name);
            let unfilled = holdings.suite.unfilled.iter().map(|it| &it.drill);
            let drills = sort(drills, &twins, alert);
            let proofs = holdings.proofs.iter();
            let proofs = proofs.filter(|it| it.alert == alert.name && drills.this.contains(&it.drill));
            let proven: BTreeMap<String, Timestamp> =
                proofs.map(|proof| (proof.drill.clone(), proof.proven_at)).collect();
            Covered {
                alert: alert.name.clone(),
                labels: own(&twins, alert),
                origin: alert.origin.clone(),
                tested: tests.any(|(_, labels)| meant(&twins, alert, labels, true) == Meant::This),
                runbook: holdings.runbooks.contains(&alert.name),
                last_proven: proven.values().max().copied(),
                proven,
                drills: drills.this,
                ambiguous: drills.several,
                unfilled: sort(unfilled, &twins, alert).this,
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

/// `whole`: the labels are all that the alert has, so that a rule that sets others is not meant.
fn meant(twins: &[&Alert], alert: &Alert, labels: &Labels, whole: bool) -> Meant {
    let has_all =
        |it: &Alert| it.labels.iter().all(|(name, value)| twins::fits(labels.get(name), value, false));
    let twins: Vec<&Alert> = twins.iter().copied().filter(|it| !whole || has_all(it)).collect();
    let rules: Vec<&Labels> = twins.iter().map(|it| &it.labels).collect();
    let found = twins::meant(labels, &rules);
    match (found.iter().any(|at| twins[*at].labels == alert.labels), found.len()) {
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

fn sort<'a>(drills: impl Iterator<Item = &'a Drill>, twins: &[&Alert], alert: &Alert) -> Sorted {
    let mut sorted = Sorted::default();
    for drill in drills.filter(|drill| drill.proves.alert.value == alert.name) {
        match meant(twins, alert, &drill.proves.labels, false) {
            Meant::This => sorted.this.push(drill.drill.value.clone()),
            Meant::Several => sorted.several.push(drill.drill.value.clone()),
            Meant::Other => {}
        }
    }
    sorted
}

/// The labels that not every rule of the name sets alike: what a drill demands to mean this one. A template is known
/// only when the alert fires.
fn own(twins: &[&Alert], alert: &Alert) -> Labels {
    let differs =
        |name: &String, value: &String| twins.iter().any(|twin| twin.labels.get(name) != Some(value));
    let labels = alert.labels.iter().filter(|(name, value)| differs(name, value) && !value.contains("{{"));
    labels.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use drill::file::drill;

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
            (name.into(), drill::parse(Path::new("a.yaml"), &text).unwrap())
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
                ..Suite::default()
            },
            tested: vec![
                ("Down".into(), labels(&[("severity", "critical"), ("service", "api")])),
                ("Burn".into(), labels(&[("severity", "warning"), ("service", "api"), ("job", "a")])),
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

    /// The four rules that share a name in kube-prometheus.
    fn burn(labels_of: &[&[(&str, &str)]]) -> Vec<Alert> {
        let alert = |pairs: &&[(&str, &str)]| Alert {
            name: "Burn".into(),
            labels: labels(pairs),
            origin: "api.yml".into(),
        };
        labels_of.iter().map(alert).collect()
    }

    #[test]
    fn what_fits_several_rules_covers_none_of_them() {
        let alerts = burn(&[
            &[("severity", "critical"), ("long", "1h"), ("short", "5m")],
            &[("severity", "critical"), ("long", "6h"), ("short", "30m")],
            &[("severity", "warning"), ("long", "1d"), ("short", "2h")],
            &[("severity", "warning"), ("long", "3d"), ("short", "6h")],
        ]);
        let mut holdings = holdings();
        holdings.tested =
            vec![("Burn".into(), alerts[0].labels.clone()), ("Burn".into(), alerts[2].labels.clone())];
        let text = "drill: slow\nproves: {alert: Burn, labels: {long: 3d}}\ncause: {stop: api}\n";
        holdings.suite.drills.push(("b.yaml".into(), drill::parse(Path::new("b.yaml"), text).unwrap()));
        let found = cover(&alerts, &holdings);
        let seen: Vec<_> =
            found.iter().map(|it| (it.drills.join(" "), it.ambiguous.join(" "), it.tested)).collect();
        let of = |drills: &str, ambiguous: &str, tested| (drills.to_owned(), ambiguous.to_owned(), tested);
        assert_eq!(
            seen,
            [of("", "burn", true), of("", "burn", false), of("", "", true), of("slow", "", false)]
        );
        assert!(found[0].last_proven.is_none(), "a proof of one that fits several is of neither");
        let told = report::table(&found);
        let advice = "(`burn` fits another rule of this name as well: have it demand {long=\"6h\", severity=\"critical\", \
                      short=\"30m\"})";
        assert!(told.contains(advice), "{told}");
    }

    #[test]
    fn rules_of_one_name_and_the_same_labels_are_one_alert() {
        let mut alerts = burn(&[&[("severity", "critical")], &[("severity", "critical")]]);
        alerts[1].origin = "other.yml".into();
        let found = cover(&alerts, &holdings());
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].drills.as_slice(), found[0].origin.as_str()),
            (&["burn".to_owned()][..], "api.yml, other.yml")
        );
    }
}
