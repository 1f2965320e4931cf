//! What a rule reads, through all rules between it and the scraped series, and how long a change takes to pass through
//! them.
//!
//! A rule can read what other rules record, and alert states from `ALERTS`. Each group is evaluated at its own interval
//! and its rules in file order, so a result is read
//!
//! * in the same evaluation, by a later rule of the same group that reads it without an offset;
//! * at most one interval of its group later, by an earlier rule of the group or by another group.
//!
//! A group with a `query_offset` is evaluated that long in the past, and its results have the time of that past. Who reads
//! them at a time nearer to the present sees the older ones only.
//!
//! `ALERTS` shows an alert as firing ⌈F/E⌉·E after it went pending, and keeps it for ⌈K/E⌉·E.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::error::DrillError;
use crate::rule::ranges::{Apart, Ranged};
use crate::timing::bounds::whole_evaluations;
use crate::timing::path::Path;
use clients::prometheus::{Rule, RuleGroup};
use promql::Read;

/// Step of a subquery without one: Prometheus uses its global evaluation interval, 1m by default.
const STEP: Duration = Duration::from_secs(60);

/// Maximum number of rules between an alert and a scraped series, far above any real configuration, so that no chain
/// exhausts the stack.
const MAX_DEPTH: usize = 200;

/// A selector of a scraped series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// Name of the metric.
    pub metric: String,
    /// The selector as a query: `metric{label="value"}`.
    pub text: String,
    /// The job, when the selector names exactly one.
    pub job: Option<String>,
}

/// Everything a rule reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The slowest paths: none of them is within another.
    pub paths: Vec<Path>,
    /// The scraped series, without duplicates.
    pub selectors: BTreeSet<Selector>,
    /// The rules on the paths, this one included: indices of the group and of the rule in it.
    pub rules: BTreeSet<(usize, usize)>,
    /// The ranges on the paths.
    pub ranges: BTreeSet<Ranged>,
}

impl Sources {
    fn add(&mut self, path: Path) {
        if !self.paths.iter().any(|known| path.within(known)) {
            self.paths.retain(|known| !known.within(&path));
            self.paths.push(path);
        }
    }

    /// The path with the largest `length`; the empty path when there is none.
    #[must_use]
    pub fn longest(&self, length: impl Fn(&Path) -> Duration) -> Path {
        self.paths.iter().copied().max_by_key(|path| length(path)).unwrap_or_default()
    }
}

/// Follows a rule down to the scraped series. An expression that is not PromQL, such as MetricsQL with functions of its
/// own, is taken to read scraped series `stated` back.
///
/// # Errors
/// An expression cannot be parsed and nothing is stated, or recording rules read each other: each result then depends on
/// all earlier results, so there is no bound on how long a change takes to pass through.
pub fn sources(groups: &[RuleGroup], rule: &Rule, stated: Option<Duration>) -> Result<Sources, DrillError> {
    let place = groups.iter().enumerate().find_map(|(group, it)| {
        let index = it.rules.iter().position(|other| std::ptr::eq(other, rule))?;
        Some(Place { group, index })
    });
    let place = place.ok_or_else(|| DrillError::Rule(format!("the rule `{}` is not loaded", rule.name)))?;
    Graph { groups, stated, known: HashMap::new(), following: Vec::new() }.of(place)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    group: usize,
    index: usize,
}

struct Graph<'a> {
    groups: &'a [RuleGroup],
    stated: Option<Duration>,
    known: HashMap<Place, Sources>,
    /// The rules that led to this one.
    following: Vec<Place>,
}

impl Graph<'_> {
    fn of(&mut self, place: Place) -> Result<Sources, DrillError> {
        if let Some(known) = self.known.get(&place) {
            return Ok(known.clone());
        }
        let rule = &self.groups[place.group].rules[place.index];
        if self.following.len() > MAX_DEPTH {
            return Err(DrillError::Rule(format!(
                "the alert depends on a chain of more than {MAX_DEPTH} rules, down to `{}`: prove an alert that depends on fewer rules",
                rule.name
            )));
        }
        let mut sources = Sources { rules: [(place.group, place.index)].into(), ..Sources::default() };
        let reads = match (promql::reads(&rule.query, STEP), self.stated) {
            (Ok(reads), _) => reads,
            (Err(_), Some(lookback)) => {
                let unseen = self.groups[place.group].unseen;
                sources.add(Path { lookback, rise: unseen, fall: unseen, ..Path::default() });
                Vec::new()
            }
            (Err(error), None) => {
                return Err(DrillError::Rule(format!(
                    "the rule `{}`: {error}; if it is MetricsQL, state in the drill file how far back it reads, such as \
                     `proves: {{alert: …, lookback: 5m}}`",
                    rule.name
                )));
            }
        };
        self.following.push(place);
        for read in &reads {
            self.follow(place, read, &mut sources)?;
        }
        self.following.pop();
        self.known.insert(place, sources.clone());
        Ok(sources)
    }

    fn follow(&mut self, reader: Place, read: &Read, sources: &mut Sources) -> Result<(), DrillError> {
        let writers = self.writers(read);
        let late = self.groups[reader.group].unseen;
        if writers.is_empty() || read.metric.is_none() {
            let lookback = plus(Duration::ZERO, read.lookback_ms);
            sources.add(Path { lookback, rise: late, fall: late, ..Path::default() });
            sources.selectors.extend(scraped(read));
            sources.ranges.extend(Ranged::all(read, Apart::Scraped(read.text.clone()), read.optional));
        }
        // What several rules write is there as long as one of them writes it.
        let optional = read.optional || writers.len() > 1;
        for writer in writers {
            let (group, rule) = (&self.groups[writer.group], &self.groups[writer.group].rules[writer.index]);
            // An alert's own state exists only while it is active, so it delays neither its start nor its end.
            if writer == reader && rule.alerting.is_some() {
                continue;
            }
            if let Some(begin) = self.following.iter().position(|above| *above == writer) {
                match read.metric {
                    Some(_) => return Err(self.circle(begin)),
                    None => continue, // a rule without a metric name reads everything, its own results included
                }
            }
            let same_group = writer.group == reader.group && !read.shifted && group.stored_after.is_none();
            let same_round = same_group && writer.index < reader.index;
            let stored = group.interval + group.stored_after.unwrap_or_default() + late;
            let waits = if same_round { Duration::ZERO } else { stored };
            if rule.alerting.is_none() {
                let newest = same_group.then_some(waits);
                let unseen = group.query_offset.saturating_sub(self.groups[reader.group].query_offset);
                let apart = Apart::Recorded { interval: group.interval, newest, unseen };
                sources.ranges.extend(Ranged::all(read, apart, optional));
            }
            let (mut hold, mut keep) = (Duration::ZERO, Duration::ZERO);
            if let Some(alerting) = &rule.alerting {
                let states = read.accepts("__name__", "ALERTS");
                if states && !read.accepts("alertstate", "pending") {
                    hold = whole_evaluations(alerting.hold, group.interval);
                }
                keep = whole_evaluations(alerting.keep_firing, group.interval);
            }
            let below = self.of(writer)?;
            for path in &below.paths {
                let unseen = path.behind.saturating_sub(group.query_offset);
                sources.add(Path {
                    lookback: plus(path.lookback, read.lookback_ms),
                    rise: path.rise + unseen + waits + hold,
                    fall: path.fall + unseen + waits + keep,
                    behind: group.query_offset,
                });
            }
            sources.selectors.extend(below.selectors);
            sources.rules.extend(below.rules);
            sources.ranges.extend(below.ranges.into_iter().map(|it| it.within(optional)));
        }
        Ok(())
    }

    /// The rules that write what is read; for a selector without a metric name, the recording rules.
    fn writers(&self, read: &Read) -> Vec<Place> {
        let states = matches!(read.metric.as_deref(), Some("ALERTS" | "ALERTS_FOR_STATE"));
        let writes = |rule: &Rule| match &rule.alerting {
            None => read.accepts("__name__", &rule.name),
            Some(alerting) => {
                let label = |(name, value): (&String, &String)| {
                    value.contains("{{") || read.accepts(name, value) // the value of a template is not known
                };
                states && read.accepts("alertname", &rule.name) && alerting.labels.iter().all(label)
            }
        };
        let groups = self.groups.iter().enumerate();
        groups
            .flat_map(|(group, it)| {
                let rules = it.rules.iter().enumerate().filter(|(_, rule)| writes(rule));
                rules.map(move |(index, _)| Place { group, index })
            })
            .collect()
    }

    fn circle(&self, begin: usize) -> DrillError {
        let name = |place: &Place| format!("`{}`", self.groups[place.group].rules[place.index].name);
        let mut names: Vec<String> = self.following[begin..].iter().map(name).collect();
        names.extend(self.following.get(begin).map(name));
        DrillError::Rule(format!(
            "rules form a cycle, {}: each result depends on all earlier results, so there is no bound on how long \
             a change takes to pass through; prove an alert that does not depend on them",
            names.join(" → ")
        ))
    }
}

fn scraped(read: &Read) -> Option<Selector> {
    let job = read.exactly("job").map(str::to_owned);
    Some(Selector { metric: read.metric.clone()?, text: read.text.clone(), job })
}

/// Adds a range or offset. A negative offset shortens the lookback, down to zero.
fn plus(lookback: Duration, more_ms: i64) -> Duration {
    let more = Duration::from_millis(more_ms.unsigned_abs());
    if more_ms < 0 { lookback.saturating_sub(more) } else { lookback.saturating_add(more) }
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
