//! How late rules see samples, and readers see what rules record, where that is not at once.

use std::time::Duration;

use crate::backend::family::Family;
use crate::backend::flags::Flags;
use crate::backend::server::Known;
use crate::error::{Reason, SystemError};
use crate::prometheus::{Labels, RuleGroup};

/// How long VictoriaMetrics takes until samples that it has received can be queried: it collects them for some seconds, and
/// forgets only every ten seconds that there was no such series.
const STORED: Duration = Duration::from_secs(15);
/// vmalert's timestamps may be whole seconds.
const WHOLE_SECOND: Duration = Duration::from_secs(1);
/// `-search.latencyOffset` unless it is set.
const LATENCY: Duration = Duration::from_secs(30);

/// The delays of a server's evaluation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delays {
    vmalert: Option<Vmalert>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Vmalert {
    /// How far in the past a group is evaluated that does not say so itself.
    delay: Duration,
    /// How long the server with the samples hides the newest ones.
    latency: Duration,
    /// How long samples to store are collected before they are sent.
    flush: Duration,
    /// Labels of every alert but `alertgroup`.
    labels: Labels,
    /// Whether every alert has the label `alertgroup`.
    names_group: bool,
}

impl Delays {
    /// Those of the server with the rules, which reads samples from the other.
    pub fn of(ruler: &Known, querier: &Known, stated: Option<Duration>) -> Result<Self, SystemError> {
        if ruler.family != Family::VictoriaMetrics {
            return Ok(Self::default());
        }
        let flags = match ruler.flags.as_ref().filter(|flags| flags.are_vmalert()) {
            Some(flags) => flags.clone(),
            None if stated.is_some() => Flags::default(),
            None => {
                return Err(ruler.api.error(Reason::Setting(
                    "cannot read vmalert's flags, on which the bounds depend: set --rules to the address of vmalert \
                     itself, or --eval-delay to its -rule.evalDelay"
                        .to_owned(),
                )));
            }
        };
        let latency = match querier.family {
            Family::VictoriaMetrics => {
                let known = querier.flags.as_ref().and_then(|flags| flags.duration("search.latencyOffset"));
                known.unwrap_or(LATENCY)
            }
            _ => Duration::ZERO,
        };
        let known = |name: &str| flags.duration(name);
        Ok(Self {
            vmalert: Some(Vmalert {
                delay: stated.or_else(|| known("rule.evalDelay")).unwrap_or_default(),
                latency,
                // The longest default of all versions where it is not known.
                flush: known("remoteWrite.flushInterval").unwrap_or(Duration::from_secs(5)),
                labels: flags.external_labels(),
                names_group: !flags.is_true("disableAlertgroupLabel"),
            }),
        })
    }

    /// Adds them to a group.
    pub fn set(&self, group: &mut RuleGroup) {
        let Some(vmalert) = &self.vmalert else { return };
        let behind = group.eval_delay.unwrap_or(vmalert.delay);
        // The time of a query is rounded down to a multiple of the interval.
        let read = behind + group.interval;
        group.unseen = read.max(vmalert.latency).max(STORED);
        group.stored_after = Some(vmalert.flush + STORED);
        // Newer versions give results the time of the query, older ones the whole second of the evaluation.
        group.stamped_early = read + WHOLE_SECOND;
        for alerting in group.rules.iter_mut().filter_map(|rule| rule.alerting.as_mut()) {
            for (name, value) in &vmalert.labels {
                alerting.labels.entry(name.clone()).or_insert_with(|| value.clone());
            }
            if vmalert.names_group {
                alerting.labels.insert("alertgroup".to_owned(), group.name.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(eval_delay: Option<u64>) -> RuleGroup {
        let rules = serde_json::json!({"name": "g", "interval": 15, "eval_delay": eval_delay, "rules": [
            {"type": "alerting", "name": "A", "query": "x > 0", "health": "ok", "state": "inactive", "keep_firing_for": 5},
        ]});
        serde_json::from_value(rules).unwrap()
    }

    fn delays(delay: u64, latency: u64) -> Delays {
        let seconds = Duration::from_secs;
        let labels = Labels::from([("env".to_owned(), "prod".to_owned())]);
        let (delay, latency) = (seconds(delay), seconds(latency));
        Delays { vmalert: Some(Vmalert { delay, latency, flush: seconds(1), labels, names_group: true }) }
    }

    #[test]
    fn samples_are_seen_after_the_longest_of_the_delays() {
        for (delay, latency, own, unseen, early) in [
            (0, 30, None, 30, 16),
            (0, 0, None, 15, 16),
            (30, 30, None, 45, 46),
            (30, 30, Some(0), 30, 16),
            (0, 0, Some(60), 75, 76),
        ] {
            let mut group = group(own);
            delays(delay, latency).set(&mut group);
            let found = (group.unseen.as_secs(), group.stamped_early.as_secs());
            assert_eq!(found, (unseen, early), "{delay} {latency} {own:?}");
            assert_eq!(group.stored_after, Some(Duration::from_secs(16)));
        }
    }

    #[test]
    fn alerts_have_the_labels_that_vmalert_adds() {
        let mut group = group(None);
        delays(0, 0).set(&mut group);
        let alerting = group.rules[0].alerting.as_ref().unwrap();
        let labels =
            [("alertgroup", "g"), ("env", "prod")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!((&alerting.labels, alerting.keep_firing), (&labels.into(), Duration::from_secs(5)));
        let before = group.clone();
        Delays::default().set(&mut group);
        assert_eq!(group.unseen, before.unseen, "nothing to add");
    }
}
