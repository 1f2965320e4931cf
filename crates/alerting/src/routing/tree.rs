//! Alertmanager's route tree: the receivers of an alert, and the waits of each route.
//!
//! Source: <https://prometheus.io/docs/alerting/latest/configuration/#route-related-settings>.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::routing::error::RoutingError;
use crate::routing::inhibition::{InhibitRule, RuleFile};
use crate::routing::matcher::{Matcher, conditions};
use crate::routing::time_interval::{Intervals, Named, TimeIntervals};
use clients::prometheus::Labels;
use common::{duration, source_error, yaml};

/// The defaults of a route without settings.
const GROUP_WAIT: Duration = Duration::from_secs(30);
const GROUP_INTERVAL: Duration = Duration::from_secs(300);
const REPEAT_INTERVAL: Duration = Duration::from_secs(4 * 3600);

#[derive(Deserialize)]
struct ConfigFile {
    route: RouteFile,
    #[serde(default)]
    receivers: Vec<BTreeMap<String, serde_json::Value>>,
    #[serde(default)]
    time_intervals: Vec<Named>,
    /// The former name of `time_intervals`; a file may have both.
    #[serde(default)]
    mute_time_intervals: Vec<Named>,
    #[serde(default)]
    inhibit_rules: Vec<RuleFile>,
}

#[derive(Deserialize)]
struct RouteFile {
    receiver: Option<String>,
    group_by: Option<Vec<String>>,
    #[serde(rename = "continue")]
    goes_on: Option<bool>,
    #[serde(default)]
    matchers: Vec<String>,
    /// A name without a value has the empty value.
    #[serde(default, rename = "match")]
    equal: BTreeMap<String, Option<String>>,
    #[serde(default)]
    match_re: BTreeMap<String, Option<String>>,
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    group_wait: Option<Duration>,
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    group_interval: Option<Duration>,
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    repeat_interval: Option<Duration>,
    #[serde(default)]
    mute_time_intervals: Vec<String>,
    #[serde(default)]
    active_time_intervals: Vec<String>,
    #[serde(default)]
    routes: Vec<RouteFile>,
}

/// The routing part of a running configuration.
#[derive(Debug)]
pub struct Routing {
    root: Node,
    /// Kinds of the integrations of each receiver, one entry per integration: `webhook`, `slack`, `slack`, `email`, …
    receivers: BTreeMap<String, Vec<String>>,
    intervals: Intervals,
    inhibit_rules: Vec<InhibitRule>,
}

#[derive(Debug)]
struct Node {
    /// Its position in the file, such as `route.routes[1]`.
    path: String,
    route: Route,
    matchers: Vec<Matcher>,
    goes_on: bool,
    children: Vec<Node>,
}

/// A route with all inherited settings filled in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Route {
    /// Name of its receiver.
    pub receiver: String,
    /// Labels by which alerts are grouped; `...` for all.
    pub group_by: Vec<String>,
    /// GW, the wait before the first notification of a group.
    pub group_wait: Duration,
    /// GI, the time between notifications of a group.
    pub group_interval: Duration,
    /// The time after which an unchanged group is sent again.
    pub repeat_interval: Duration,
    /// The time intervals in which it sends nothing.
    pub time_intervals: TimeIntervals,
}

impl Route {
    /// Whether two alerts are in the same group of this route. An absent label counts as empty.
    #[must_use]
    pub fn groups_together(&self, one: &Labels, other: &Labels) -> bool {
        if self.group_by.iter().any(|label| label == "...") {
            return one == other;
        }
        let value = |labels: &Labels, name: &String| labels.get(name).cloned().unwrap_or_default();
        self.group_by.iter().all(|name| value(one, name) == value(other, name))
    }

    /// The labels by which an alert is grouped, with their values.
    #[must_use]
    pub fn group(&self, alert: &Labels) -> Labels {
        let all = self.group_by.iter().any(|label| label == "...");
        let mut group = alert.clone();
        group.retain(|name, _| all || self.group_by.contains(name));
        group
    }
}

impl Routing {
    /// Parses the configuration as reported by Alertmanager.
    ///
    /// # Errors
    /// The part of the configuration that is invalid.
    pub fn parse(text: &str) -> Result<Self, RoutingError> {
        let bad = |error: serde_saphyr::Error| RoutingError::Configuration(source_error::plain(&error, true));
        let file: Option<ConfigFile> = yaml::document(text).map_err(bad)?;
        let file = file.ok_or_else(|| RoutingError::Configuration("empty: expected `route:`".to_owned()))?;
        let top = Route {
            receiver: String::new(),
            group_by: Vec::new(),
            group_wait: GROUP_WAIT,
            group_interval: GROUP_INTERVAL,
            repeat_interval: REPEAT_INTERVAL,
            time_intervals: TimeIntervals::default(),
        };
        let receivers = file
            .receivers
            .iter()
            .filter_map(|receiver| {
                let name = receiver.get("name")?.as_str()?.to_owned();
                let kinds = receiver.iter().filter_map(|(key, value)| {
                    let kind = key.strip_suffix("_configs")?.to_owned();
                    Some(std::iter::repeat_n(kind, value.as_array()?.len()))
                });
                Some((name, kinds.flatten().collect()))
            })
            .collect();
        let mut named = file.mute_time_intervals;
        named.extend(file.time_intervals);
        Ok(Self {
            root: Node::build(&file.route, &top, "route".to_owned())?,
            receivers,
            intervals: Intervals::new(named),
            inhibit_rules: file.inhibit_rules.iter().map(InhibitRule::new).collect::<Result<_, _>>()?,
        })
    }

    /// Checks what [`Self::parse`] does not need, as Alertmanager does when it loads a file.
    ///
    /// # Errors
    /// The top route has no receiver or has matchers, or a route names a receiver or time interval that is not defined.
    pub fn check(&self) -> Result<(), RoutingError> {
        if self.root.route.receiver.is_empty() || !self.root.matchers.is_empty() {
            return Err(RoutingError::TopRoute);
        }
        self.root.check(self)
    }

    /// The routes of an alert with these labels, in order.
    #[must_use]
    pub fn of(&self, labels: &Labels) -> Vec<&Route> {
        self.taken(labels, true).map(|node| &node.route).collect()
    }

    /// The routes of an alert with these labels, in order, with their place in the file and their own matchers.
    pub fn matched(&self, labels: &Labels) -> impl Iterator<Item = (&str, &[Matcher], &Route)> {
        self.taken(labels, true).map(|node| (node.path.as_str(), node.matchers.as_slice(), &node.route))
    }

    /// The routes of an alert that has these labels and may have others.
    #[must_use]
    pub fn possible(&self, known: &Labels) -> Vec<&Route> {
        self.taken(known, false).map(|node| &node.route).collect()
    }

    fn taken(&self, labels: &Labels, complete: bool) -> impl Iterator<Item = &Node> {
        let mut found = Vec::new();
        self.root.walk(labels, complete, &mut found);
        if found.is_empty() {
            found.push(&self.root); // The root receives alerts that no other route matched.
        }
        found.into_iter()
    }

    /// The first inhibit rule, by its index, that keeps an alert from being sent, with the active alert that does it.
    #[must_use]
    pub fn inhibitor<'a>(&self, alert: &Labels, active: &'a [Labels]) -> Option<(usize, &'a Labels)> {
        let mut rules = self.inhibit_rules.iter().enumerate();
        rules.find_map(|(index, rule)| rule.inhibitor(alert, active).map(|source| (index, source)))
    }

    /// Why this route sends nothing at this time; `None` when it does.
    ///
    /// # Errors
    /// Its time intervals are not defined or cannot be evaluated.
    pub fn mute_reason(&self, route: &Route, now: Timestamp) -> Result<Option<String>, RoutingError> {
        self.intervals.mute_reason(&route.time_intervals, now)
    }

    /// The longest GI of all routes.
    #[must_use]
    pub fn longest_interval(&self) -> Duration {
        self.root.longest_interval()
    }

    /// Kinds of a receiver's integrations, with repetitions; `None` when the receiver is not defined.
    #[must_use]
    pub fn kinds(&self, receiver: &str) -> Option<&[String]> {
        self.receivers.get(receiver).map(Vec::as_slice)
    }
}

impl Node {
    fn build(file: &RouteFile, parent: &Route, path: String) -> Result<Self, RoutingError> {
        let route = Route {
            receiver: file.receiver.clone().unwrap_or_else(|| parent.receiver.clone()),
            group_by: file.group_by.clone().unwrap_or_else(|| parent.group_by.clone()),
            group_wait: file.group_wait.unwrap_or(parent.group_wait),
            group_interval: file.group_interval.unwrap_or(parent.group_interval),
            repeat_interval: file.repeat_interval.unwrap_or(parent.repeat_interval),
            // Time intervals are the only settings that are not inherited.
            time_intervals: TimeIntervals {
                mute: file.mute_time_intervals.clone(),
                active: file.active_time_intervals.clone(),
            },
        };
        let matchers = conditions(&file.matchers, &file.equal, &file.match_re)?;
        let children = file.routes.iter().enumerate();
        let children =
            children.map(|(index, child)| Self::build(child, &route, format!("{path}.routes[{index}]")));
        let children = children.collect::<Result<_, _>>()?;
        Ok(Self { path, route, matchers, goes_on: file.goes_on.unwrap_or_default(), children })
    }

    fn check(&self, routing: &Routing) -> Result<(), RoutingError> {
        if routing.kinds(&self.route.receiver).is_none() {
            return Err(RoutingError::Receiver(self.route.receiver.clone()));
        }
        routing.intervals.check(&self.route.time_intervals)?;
        self.children.iter().try_for_each(|child| child.check(routing))
    }

    fn longest_interval(&self) -> Duration {
        let below = self.children.iter().map(Self::longest_interval);
        below.fold(self.route.group_interval, Duration::max)
    }

    /// Adds the matching routes below this node, or the node itself, and returns whether any matched; `None` when that depends
    /// on labels that are not known. Unless the labels are `complete`, absent labels may have any value.
    fn walk<'a>(&'a self, labels: &Labels, complete: bool, found: &mut Vec<&'a Self>) -> Option<bool> {
        let (known, open): (Vec<_>, Vec<_>) =
            self.matchers.iter().partition(|matcher| complete || labels.contains_key(matcher.name()));
        if !known.iter().all(|matcher| matcher.matches(labels)) {
            return Some(false);
        }
        let mut below = false;
        for child in &self.children {
            if child.walk(labels, complete, found) == Some(true) {
                below = true;
                if !child.goes_on {
                    break;
                }
            }
        }
        if !below {
            found.push(self);
        }
        open.is_empty().then_some(true)
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
