//! When an alert went pending, fired and stopped, read from the samples Prometheus stored for it.
//!
//! While an alert is active, `ALERTS` has one sample per rule evaluation, with the evaluation's timestamp. These
//! samples show activations between two polls too. `activeAt` of the rules API is the same timestamp, and remains when
//! an evaluation in between was skipped.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::timing::clock;
use clients::prometheus::{ActiveAlert, Labels, Series};

/// One uninterrupted activation of an alert, from pending or firing to its last sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// The alert's labels, `alertname` included.
    pub labels: Labels,
    /// Timestamp of the first sample: pending, or firing immediately for `for: 0`.
    pub began: Timestamp,
    /// Timestamp of the first sample as firing.
    pub fired: Option<Timestamp>,
    /// Timestamp of the last sample, pending or firing.
    pub last: Timestamp,
}

impl Activation {
    /// Moves the timestamps of the samples to the evaluations that wrote them, which are `offset` later.
    pub fn shift(&mut self, offset: Duration) {
        for at in [Some(&mut self.began), self.fired.as_mut(), Some(&mut self.last)].into_iter().flatten() {
            *at = clock::after(*at, offset);
        }
    }
}

/// The activations in samples of `ALERTS`, in the order they began. `evaluation` is E and `hold` is F of the rule.
#[must_use]
pub fn activations(history: &[Series], evaluation: Duration, hold: Duration) -> Vec<Activation> {
    let mut alerts: BTreeMap<Labels, Vec<(Timestamp, bool)>> = BTreeMap::new();
    for series in history {
        let firing = series.labels.get("alertstate").is_some_and(|state| state == "firing");
        alerts
            .entry(alert_labels(&series.labels))
            .or_default()
            .extend(series.samples.iter().filter(|(_, value)| *value > 0.0).map(|(at, _)| (*at, firing)));
    }
    let mut activations: Vec<Activation> = Vec::new();
    for (labels, mut samples) in alerts {
        samples.sort_unstable();
        let first = activations.len();
        for (at, firing) in samples {
            let open = activations[first..].last_mut().filter(|open| {
                let skipped = clock::seconds(open.last, at) > 1.5 * evaluation.as_secs_f64();
                // With a `for`, an alert that fires without having been pending continues the activation from before the
                // skipped evaluation; one that is pending after it fired starts a new activation.
                if firing { !skipped || !hold.is_zero() } else { open.fired.is_none() && !skipped }
            });
            match open {
                Some(open) => {
                    open.last = at;
                    open.fired = open.fired.or(firing.then_some(at));
                }
                None => activations.push(Activation {
                    labels: labels.clone(),
                    began: at,
                    fired: firing.then_some(at),
                    last: at,
                }),
            }
        }
    }
    activations.sort_by_key(|activation| activation.began);
    activations
}

/// The activations that the replicas of a server saw, each at times of its own: one that several saw began when the first
/// saw it, and ended when the last did.
#[must_use]
pub fn together(mut replicas: Vec<Vec<Activation>>, evaluation: Duration) -> Vec<Activation> {
    if replicas.len() < 2 {
        return replicas.pop().unwrap_or_default();
    }
    let mut all: Vec<Activation> = replicas.into_iter().flatten().collect();
    all.sort_by_key(|activation| activation.began);
    let mut merged: Vec<Activation> = Vec::new();
    for next in all {
        let same = |open: &&mut Activation| {
            open.labels == next.labels && clock::seconds(open.last, next.began) <= evaluation.as_secs_f64()
        };
        match merged.iter_mut().find(same) {
            Some(open) => {
                open.fired = [open.fired, next.fired].into_iter().flatten().min();
                open.last = open.last.max(next.last);
            }
            None => merged.push(next),
        }
    }
    merged
}

/// The alert's own labels: those of its `ALERTS` series without `__name__` and `alertstate`.
#[must_use]
pub fn alert_labels(series: &Labels) -> Labels {
    series
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "__name__" | "alertstate"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The activation that a drill follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// The alert's labels.
    pub labels: Labels,
    /// When it went pending.
    pub pending: Timestamp,
    /// When it fired.
    pub firing: Option<Timestamp>,
    /// Timestamp of the last sample as firing, of this activation or a later one of the same alert.
    pub last_firing: Option<Timestamp>,
}

/// The activation to follow: the first that fired, otherwise the most recent one.
#[must_use]
pub fn follow(activations: &[Activation], active: &[ActiveAlert]) -> Option<Followed> {
    let fired = activations
        .iter()
        .filter(|activation| activation.fired.is_some())
        .min_by_key(|activation| activation.fired);
    let chosen = fired.or_else(|| activations.iter().max_by_key(|activation| activation.last));
    let Some(chosen) = chosen else {
        // The rules API shows an active alert shortly before its first sample can be queried.
        let earliest = active.iter().min_by_key(|alert| alert.active_at)?;
        let (labels, pending) = (earliest.labels.clone(), earliest.active_at);
        return Some(Followed { labels, pending, firing: None, last_firing: None });
    };
    let same: Vec<_> = activations.iter().filter(|activation| activation.labels == chosen.labels).collect();
    let active_at = active.iter().find(|alert| alert.labels == chosen.labels).map(|alert| alert.active_at);
    // `activeAt` is that of the alert's current activation: used only when that is the chosen one.
    let is_latest = same.iter().all(|activation| activation.began <= chosen.began);
    let pending = active_at.filter(|at| is_latest && *at <= chosen.last).unwrap_or(chosen.began);
    Some(Followed {
        labels: chosen.labels.clone(),
        pending,
        firing: chosen.fired,
        last_firing: same
            .iter()
            .filter(|activation| activation.fired.is_some())
            .map(|activation| activation.last)
            .max(),
    })
}

#[cfg(test)]
#[path = "activation_tests.rs"]
mod tests;
