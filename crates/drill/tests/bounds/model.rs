//! What takes time between a cause and an alert, event by event: scrapes, groups evaluated each at its own offset and its
//! rules in order, ranges and subqueries, `for` and `keep_firing_for`. Times are microseconds from the cause.

use std::collections::BTreeMap;

pub const SECOND: i64 = 1_000_000;

/// What a rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The scraped series.
    Scraped,
    /// What the rule of this number records.
    Recorded(usize),
    /// The alert of this number, firing.
    Firing(usize),
    /// The same, pending or firing.
    Active(usize),
}

/// How it reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Instant,
    /// `min_over_time`: true once the whole range is.
    Min(i64),
    /// `max_over_time`: true as long as some of the range is.
    Max(i64),
    /// `min_over_time(…[range:step])`.
    MinSteps(i64, i64),
    /// `max_over_time(…[range:step])`.
    MaxSteps(i64, i64),
}

/// One read of a rule.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    pub source: Source,
    pub reading: Reading,
    pub offset: i64,
}

/// A rule; it holds when all of its reads do, or any.
#[derive(Debug, Clone)]
pub struct Rule {
    pub reads: Vec<Read>,
    pub all: bool,
    /// `for` and `keep_firing_for` of an alert.
    pub alert: Option<(i64, i64)>,
}

/// A group; rules are numbered through all groups.
#[derive(Debug, Clone)]
pub struct Group {
    pub interval: i64,
    pub offset: i64,
    /// `query_offset`: it is evaluated this far in the past, and its samples have the time of that past.
    pub behind: i64,
    pub rules: Vec<Rule>,
}

/// Everything Prometheus does.
#[derive(Debug, Clone)]
pub struct Model {
    pub scrape: i64,
    pub scrape_offset: i64,
    /// An instant at which subqueries are evaluated, as at all that are whole steps from it.
    pub grid: i64,
    /// Whether a sample at the very start of a range is not in it, as in Prometheus 3.
    pub left_open: bool,
    pub groups: Vec<Group>,
}

/// When the receiver has the notification of an alert and its all-clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    pub notified: i64,
    pub all_clear: i64,
}

/// The route of an alert: `group_wait`, `group_interval`, the wait for earlier members of Alertmanager's cluster, and the time
/// that sending takes.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub wait: i64,
    pub interval: i64,
    pub peers: i64,
    pub sending: i64,
}

impl Route {
    /// Of an alert that is alone in its group: what it is when a notification begins is what is sent. The next one begins
    /// after the interval, and not before this one is sent.
    pub fn deliver(&self, firing: i64, resolved: i64) -> Delivery {
        let sent = self.peers + self.sending;
        let first = firing + self.wait;
        let every = self.interval.max(sent).max(1);
        let later = (resolved - first + every - 1).div_euclid(every).max(1);
        Delivery { notified: first + sent, all_clear: first + later * every + sent }
    }
}

/// When the last rule's alert changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub pending: i64,
    pub firing: i64,
    pub lifted: i64,
    pub resolved: i64,
}

/// Samples in order; of `ALERTS`, `None` is the mark of staleness.
type Samples = Vec<(i64, Option<State>)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    False,
    True,
    Pending,
    Firing,
}

#[derive(Default)]
struct Alert {
    active_at: Option<i64>,
    firing: bool,
    kept_since: Option<i64>,
}

impl Model {
    /// From `begin` on, with the cause at 0, lifted once the alert fires and `lift` has come; `None` when it has not
    /// resolved by `end`.
    pub fn run(&self, begin: i64, lift: i64, end: i64) -> Option<Run> {
        let count: usize = self.groups.iter().map(|group| group.rules.len()).sum();
        let mut written: Vec<Samples> = vec![Vec::new(); count];
        let mut alerts: Vec<Alert> = (0..count).map(|_| Alert::default()).collect();
        let mut scraped: Samples = Vec::new();
        let mut firsts: Vec<usize> = Vec::new();
        let mut number = 0;
        for group in &self.groups {
            firsts.push(number);
            number += group.rules.len();
        }
        // What comes next: (time, group, or none for a scrape).
        let first = |interval: i64, offset: i64| begin + (offset - begin).rem_euclid(interval);
        let mut next: BTreeMap<(i64, usize), i64> = BTreeMap::new();
        next.insert((first(self.scrape, self.scrape_offset), usize::MAX), self.scrape);
        for (index, group) in self.groups.iter().enumerate() {
            next.insert((first(group.interval, group.offset), index), group.interval);
        }
        let (mut pending, mut firing, mut lifted) = (None, None, None);
        while let Some(((at, group), interval)) = next.pop_first() {
            if at > end {
                return None;
            }
            next.insert((at + interval, group), interval);
            if group == usize::MAX {
                let holds = at >= 0 && lifted.is_none_or(|lifted| at < lifted);
                scraped.push((at, Some(if holds { State::True } else { State::False })));
                continue;
            }
            let then = at - self.groups[group].behind;
            for (index, rule) in self.groups[group].rules.iter().enumerate() {
                let number = firsts[group] + index;
                let mut holds = rule.reads.iter().map(|read| {
                    let samples = match read.source {
                        Source::Scraped => &scraped,
                        Source::Recorded(of) | Source::Firing(of) | Source::Active(of) => &written[of],
                    };
                    self.holds(read, samples, then)
                });
                let holds = if rule.all { holds.all(|it| it) } else { holds.any(|it| it) };
                let state = match rule.alert {
                    None => Some(if holds { State::True } else { State::False }),
                    Some(times) => evaluate(&mut alerts[number], holds, at, times),
                };
                written[number].push((then, state));
                if number + 1 < count {
                    continue;
                }
                match state {
                    Some(State::Pending) if at >= 0 => drop(pending.get_or_insert(at)),
                    Some(State::Firing) if at >= 0 => {
                        pending.get_or_insert(at);
                        let firing = *firing.get_or_insert(at);
                        if lifted.is_none() {
                            lifted = Some(firing.max(lift) + 1);
                        }
                    }
                    None => {
                        if let (Some(pending), Some(firing), Some(lifted)) = (pending, firing, lifted)
                            && at >= lifted
                        {
                            return Some(Run { pending, firing, lifted, resolved: at });
                        }
                    }
                    _ => {}
                }
            }
        }
        None
    }
}

/// As Prometheus's `AlertingRule.Eval` does.
fn evaluate(alert: &mut Alert, holds: bool, at: i64, (hold, keep): (i64, i64)) -> Option<State> {
    if holds {
        alert.kept_since = None;
        let since = *alert.active_at.get_or_insert(at);
        alert.firing = alert.firing || at - since >= hold;
        return Some(if alert.firing { State::Firing } else { State::Pending });
    }
    if alert.firing && keep > 0 && at - *alert.kept_since.get_or_insert(at) < keep {
        return Some(State::Firing);
    }
    *alert = Alert::default();
    None
}

impl Model {
    fn holds(&self, read: &Read, samples: &Samples, at: i64) -> bool {
        let (at, grid) = (at - read.offset, self.grid);
        // The first instant of a range of this length.
        let start = |length: i64| at - length + i64::from(self.left_open);
        let wanted = |state: Option<State>| match (read.source, state) {
            (_, None | Some(State::False)) => false,
            (Source::Firing(_), Some(state)) => state == State::Firing,
            _ => true,
        };
        let until = |at: i64| samples.partition_point(|(time, _)| *time <= at);
        let last = |at: i64| until(at).checked_sub(1).is_some_and(|index| wanted(samples[index].1));
        // The marks of staleness are no samples to a range.
        let range = |length: i64| {
            let from = samples.partition_point(|(time, _)| *time < start(length));
            samples[from.min(until(at))..until(at)].iter().filter(|(_, state)| state.is_some())
        };
        let steps = |length: i64, step: i64| {
            let first = grid + (at - length - grid).div_euclid(step) * step;
            (0..)
                .map(move |index| first + index * step)
                .skip_while(move |time| *time < start(length))
                .take_while(move |time| *time <= at)
        };
        match read.reading {
            Reading::Instant => last(at),
            Reading::Min(length) => {
                let mut all = range(length).peekable();
                all.peek().is_some() && all.all(|(_, state)| wanted(*state))
            }
            Reading::Max(length) => range(length).any(|(_, state)| wanted(*state)),
            Reading::MinSteps(length, step) => {
                let mut all = steps(length, step).peekable();
                all.peek().is_some() && all.all(last)
            }
            Reading::MaxSteps(length, step) => steps(length, step).any(last),
        }
    }
}
