//! The rule under test, as the running Prometheus has loaded it.

pub mod graph;
pub mod ranges;
pub mod thresholds;

use crate::error::DrillError;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::evidence::changing::with_value;
use crate::file::drill::Drill;
use crate::file::namesakes;
use crate::file::suite::{Ambient, Suite};
use crate::rule::graph::Sources;
use crate::rule::thresholds::thresholds;
use crate::timing::path::Path;
use clients::prometheus::{Alerting, Labels, Rule, RuleGroup};
use common::source_error::FileError;
use promql::{self, Threshold};

/// The facts a drill needs about its rule.
#[derive(Debug, Clone)]
pub struct RuleUnderTest {
    /// The `alertname`.
    pub alert: String,
    /// Labels the drill demands of the alert.
    pub wanted: Labels,
    /// Labels known before the alert fires: `alertname`, the rule's own without templates, and the demanded ones.
    pub known: Labels,
    /// Labels whose templates contain the rule's value.
    pub with_value: BTreeSet<String>,
    /// Name of the rule's group.
    pub group: String,
    /// File from which Prometheus loaded the rule.
    pub file: String,
    /// The expression.
    pub query: String,
    /// E, evaluation interval of the group.
    pub evaluation: Duration,
    /// F, `for`.
    pub hold: Duration,
    /// K, `keep_firing_for`.
    pub keep_firing: Duration,
    /// `query_offset` of the group, as far as known.
    pub query_offset: Duration,
    /// How long after an evaluation the samples of the alert can be read; zero where at once.
    pub stored_after: Duration,
    /// How much earlier than the evaluation the timestamps of those samples may be.
    pub stamped_early: Duration,
    /// The lookback that the drill states, for expressions that are not PromQL.
    pub stated: Option<Duration>,
    /// Groups on the way to the rule, its own included, whose `query_offset` is not known; that of the configuration is
    /// assumed.
    pub offset_unknown: BTreeSet<String>,
    /// Names of the other rules that the expression reads, directly and through others.
    pub reads: BTreeSet<String>,
    /// What the expression reads, directly and through other rules.
    pub sources: Sources,
    /// The number the expression is compared with.
    pub threshold: Option<Threshold>,
}

impl RuleUnderTest {
    /// Whether these labels belong to an alert this drill is about.
    #[must_use]
    pub fn owns(&self, labels: &Labels) -> bool {
        labels.get("alertname") == Some(&self.alert) && covers(labels, &self.wanted)
    }

    /// Why the rule, or one that it reads, cannot be evaluated; `None` if all can.
    #[must_use]
    pub fn failure(&self, groups: &[RuleGroup]) -> Option<String> {
        let failed = |rule: &&Rule| rule.health == "err";
        if let Some((rule, _)) = self.loaded(groups).filter(|(rule, _)| failed(rule)) {
            return Some(format!("the rule `{}` fails: {}", rule.name, rule.last_error));
        }
        let mut rules = groups.iter().flat_map(|group| &group.rules).filter(failed);
        let rule = rules.find(|rule| self.reads.contains(&rule.name))?;
        Some(format!("the rule `{}`, which `{}` reads, fails: {}", rule.name, self.alert, rule.last_error))
    }

    /// The rule in the loaded groups.
    #[must_use]
    pub fn loaded<'a>(&self, groups: &'a [RuleGroup]) -> Option<(&'a Rule, &'a Alerting)> {
        find(groups, &self.alert, &self.wanted).ok().map(|(_, rule, alerting)| (rule, alerting))
    }
}

/// Whether `labels` has all of `wanted`.
#[must_use]
pub fn covers(labels: &Labels, wanted: &Labels) -> bool {
    wanted.iter().all(|(name, value)| labels.get(name) == Some(value))
}

/// Recording rules: metric names and their expressions.
#[must_use]
pub fn recorded(groups: &[RuleGroup]) -> BTreeMap<String, String> {
    let rules = groups.iter().flat_map(|group| &group.rules);
    rules.filter(|rule| rule.alerting.is_none()).map(|rule| (rule.name.clone(), rule.query.clone())).collect()
}

/// How long the rule may keep finding a condition that is over, by the lookback of what it reads; zero where unknown.
#[must_use]
pub fn falls(groups: &[RuleGroup], rule: &Rule) -> Duration {
    let length = |path: &Path| path.lookback + path.fall;
    graph::sources(groups, rule, None).map_or(Duration::ZERO, |sources| length(&sources.longest(length)))
}

/// Finds the alerting rule with this name whose own labels do not contradict `wanted`.
///
/// # Errors
/// No rule matches; the error lists what is loaded.
pub fn find<'a>(
    groups: &'a [RuleGroup],
    alert: &str,
    wanted: &Labels,
) -> Result<(&'a RuleGroup, &'a Rule, &'a Alerting), DrillError> {
    let alerting = groups.iter().flat_map(|group| {
        group
            .rules
            .iter()
            .filter_map(move |rule| rule.alerting.as_ref().map(|alerting| (group, rule, alerting)))
    });
    let named: Vec<_> = alerting.clone().filter(|(_, rule, _)| rule.name == alert).collect();
    let labels: Vec<&Labels> = named.iter().map(|(_, _, alerting)| &alerting.labels).collect();
    // If several rules fit the drill, the last is taken: its firing alerts may be of any of them.
    if let Some(best) = namesakes::meant(wanted, &labels).last() {
        return Ok(named[*best]);
    }
    if let Some((_, _, other)) = named.first() {
        return Err(DrillError::Rule(format!(
            "the rule `{alert}` has the labels {}, not {}: correct `proves.labels`",
            write_labels(&other.labels),
            write_labels(wanted)
        )));
    }
    let mut names: Vec<_> = alerting.map(|(_, rule, _)| rule.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let loaded = if names.is_empty() { "no alerting rules".to_owned() } else { names.join(", ") };
    Err(DrillError::Rule(format!("no loaded rule defines the alert `{alert}`: Prometheus has {loaded}")))
}

/// Formats labels as `{a="b", c="d"}`.
#[must_use]
pub fn write_labels(labels: &Labels) -> String {
    let pairs: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Collects the facts a drill needs about its rule. `stated` is the lookback of expressions that are not PromQL.
///
/// # Errors
/// The rule is not loaded, or its expression cannot be parsed and no lookback is stated.
pub fn gather(
    groups: &[RuleGroup],
    alert: &str,
    wanted: &Labels,
    stated: Option<Duration>,
) -> Result<RuleUnderTest, DrillError> {
    let (group, rule, alerting) = find(groups, alert, wanted)?;
    let recorded = recorded(groups);
    let sources = graph::sources(groups, rule, stated)?;
    let named = |(group, rule): &(usize, usize)| groups[*group].rules[*rule].name.clone();
    let mut known: Labels = alerting
        .labels
        .iter()
        .filter(|(_, value)| !value.contains("{{"))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    known.extend(wanted.clone());
    known.insert("alertname".into(), alert.to_owned());
    Ok(RuleUnderTest {
        alert: alert.to_owned(),
        wanted: wanted.clone(),
        known,
        with_value: with_value(&alerting.labels),
        group: group.name.clone(),
        file: group.file.clone(),
        query: rule.query.clone(),
        evaluation: group.interval,
        hold: alerting.hold,
        keep_firing: alerting.keep_firing,
        query_offset: group.query_offset,
        stored_after: group.stored_after.unwrap_or_default(),
        stamped_early: group.stamped_early,
        stated,
        offset_unknown: BTreeSet::new(),
        reads: sources.rules.iter().map(named).filter(|name| *name != rule.name).collect(),
        sources,
        threshold: threshold(&rule.query, &recorded),
    })
}

/// The comparison of the expression; if it is only a recorded metric, that of the recording rule.
fn threshold(query: &str, recorded: &BTreeMap<String, String>) -> Option<Threshold> {
    let mut query = query;
    // The number of steps is limited because a recording rule may lead back to itself.
    for _ in 0..=recorded.len() {
        if let Some(found) = promql::threshold(query) {
            return Some(found);
        }
        query = recorded.get(query.trim())?;
    }
    None
}

/// Checks a drill file against the loaded rules.
#[must_use]
pub fn check(path: &std::path::Path, drill: &Drill, groups: &[RuleGroup]) -> Vec<FileError> {
    let mut errors = Vec::new();
    let alert = &drill.proves.alert;
    match find(groups, &alert.value, &drill.proves.labels) {
        Err(_) if drill.proves.quiet.is_some() => {}
        Err(error) => errors.push(FileError::at(path, alert.referenced, error.to_string())),
        Ok((_, rule, _)) => {
            let stated = drill.cause.share.as_ref();
            if let Some(share) = stated.filter(|_| threshold(&rule.query, &recorded(groups)).is_none()) {
                let reason = format!(
                    "`share` has no effect: the rule `{}` does not compare its value with a single \
                     number; remove `share`",
                    alert.value
                );
                errors.push(FileError::at(path, share.referenced, reason));
            }
        }
    }
    let expect = &drill.expect;
    for named in expect.silent.iter().chain(&expect.also).chain(&expect.inhibited) {
        if let Err(error) = find(groups, &named.value, &Labels::new()) {
            errors.push(FileError::at(path, named.referenced, error.to_string()));
        }
    }
    for named in &expect.near {
        let reason = match find(groups, &named.value, &Labels::new()) {
            Err(error) => error.to_string(),
            Ok(_) if !thresholds(groups, &named.value).is_empty() => continue,
            Ok(_) => format!(
                "`near` has no threshold: the rule `{}` does not compare its value with a single number above 0; \
                 move it to `silent`",
                named.value
            ),
        };
        errors.push(FileError::at(path, named.referenced, reason));
    }
    errors
}

/// Checks suite files against the loaded rules.
#[must_use]
pub fn check_ambient(suite: &Suite, groups: &[RuleGroup]) -> Vec<FileError> {
    let unknown = |(path, ambient): &(PathBuf, Ambient)| {
        let reason = find(groups, &ambient.alert.value, &Labels::new()).err()?;
        Some(FileError::at(path, ambient.alert.referenced, reason.to_string()))
    };
    suite.ambient.iter().filter_map(unknown).collect()
}

/// How long alerts that a drill explains may stay active after it, by their rules; the next drill on the stack waits for
/// it.
#[must_use]
pub fn aftermath(drill: &Drill, groups: &[RuleGroup]) -> Duration {
    let resolves = |name: &str| {
        let named = groups.iter().flat_map(|group| &group.rules).filter(|rule| rule.name == name);
        let alerting = named.filter_map(|rule| rule.alerting.as_ref().map(|alerting| (rule, alerting)));
        alerting.map(|(rule, alerting)| falls(groups, rule) + alerting.keep_firing).max()
    };
    drill.expect.also.iter().filter_map(|also| resolves(&also.value)).max().unwrap_or_default()
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
