//! What replicas say together: each evaluates the same rules at times of its own.

use std::collections::BTreeMap;

use crate::prometheus::{Labels, RuleGroup, Series};

/// The rules of all replicas: an alert is active if it is active in one of them, since the earliest time, and a rule was
/// evaluated when the last of them has evaluated it.
#[must_use]
pub fn rules(mut replicas: Vec<Vec<RuleGroup>>) -> Vec<RuleGroup> {
    if replicas.is_empty() {
        return Vec::new();
    }
    let mut merged = replicas.remove(0);
    for other in replicas.iter().flatten() {
        let same = |group: &&mut RuleGroup| group.name == other.name && group.file == other.file;
        let Some(group) = merged.iter_mut().find(same) else {
            merged.push(other.clone());
            continue;
        };
        group.last_evaluation = group.last_evaluation.min(other.last_evaluation);
        for (rule, twin) in group.rules.iter_mut().zip(&other.rules).filter(|(one, two)| one.name == two.name)
        {
            rule.last_evaluation = rule.last_evaluation.min(twin.last_evaluation);
            if twin.health != "ok" && rule.health == "ok" {
                (rule.health, rule.last_error) = (twin.health.clone(), twin.last_error.clone());
            }
            let (Some(own), Some(more)) = (&mut rule.alerting, &twin.alerting) else { continue };
            for alert in &more.alerts {
                match own.alerts.iter_mut().find(|known| known.labels == alert.labels) {
                    Some(known) => {
                        known.active_at = known.active_at.min(alert.active_at);
                        if alert.state == "firing" {
                            known.state.clone_from(&alert.state);
                        }
                    }
                    None => own.alerts.push(alert.clone()),
                }
            }
        }
    }
    merged
}

/// The samples of all replicas, by series.
#[must_use]
pub fn series(mut replicas: Vec<Vec<Series>>) -> Vec<Series> {
    if replicas.len() < 2 {
        return replicas.pop().unwrap_or_default();
    }
    let mut merged: BTreeMap<Labels, Vec<_>> = BTreeMap::new();
    for Series { labels, samples } in replicas.into_iter().flatten() {
        merged.entry(labels).or_default().extend(samples);
    }
    let sorted = |(labels, mut samples): (Labels, Vec<(jiff::Timestamp, f64)>)| {
        samples.sort_by_key(|(at, _)| *at);
        Series { labels, samples }
    };
    merged.into_iter().map(sorted).collect()
}
