//! Alertmanager's route tree: which receivers an alert is led to, and how long each route waits.
//!
//! Source: <https://prometheus.io/docs/alerting/latest/configuration/#route-related-settings>.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::routing::error::RoutingError;
use crate::routing::matcher::{Matcher, matchers};
use crate::routing::time_interval::{Intervals, Muting, Named};
use clients::prometheus::Labels;
use common::{duration, source_error};

/// What applies when no route says otherwise.
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
    /// What they were called at first; both may stand in a file.
    #[serde(default)]
    mute_time_intervals: Vec<Named>,
}

#[derive(Deserialize)]
struct RouteFile {
    receiver: Option<String>,
    group_by: Option<Vec<String>>,
    #[serde(rename = "continue")]
    goes_on: Option<bool>,
    #[serde(default)]
    matchers: Vec<String>,
    /// Nothing behind a name is an empty value.
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

/// A running configuration, as far as it decides where alerts go.
#[derive(Debug)]
pub struct Routing {
    root: Node,
    /// Receiver → kinds of its configurations, one for each: `webhook`, `slack`, `slack`, `email`, …
    receivers: BTreeMap<String, Vec<String>>,
    intervals: Intervals,
}

#[derive(Debug)]
struct Node {
    route: Route,
    matchers: Vec<Matcher>,
    goes_on: bool,
    children: Vec<Node>,
}

/// Where a route leads, with everything inherited filled in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Route {
    /// Its receiver.
    pub receiver: String,
    /// Labels that make a group; `...` for all.
    pub group_by: Vec<String>,
    /// GW, before the first notification of a group.
    pub group_wait: Duration,
    /// GI, between the notifications of a group.
    pub group_interval: Duration,
    /// Before what was sent of a group that did not change is sent again.
    pub repeat_interval: Duration,
    /// When it sends nothing.
    pub muting: Muting,
}

impl Route {
    /// Whether two alerts share a group of this route. A label that is absent counts as empty.
    #[must_use]
    pub fn groups_together(&self, one: &Labels, other: &Labels) -> bool {
        if self.group_by.iter().any(|label| label == "...") {
            return one == other;
        }
        let value = |labels: &Labels, name: &String| labels.get(name).cloned().unwrap_or_default();
        self.group_by.iter().all(|name| value(one, name) == value(other, name))
    }
}

impl Routing {
    /// Reads the configuration as Alertmanager reports it.
    ///
    /// # Errors
    /// What could not be understood.
    pub fn parse(yaml: &str) -> Result<Self, RoutingError> {
        let bad = |error: serde_saphyr::Error| RoutingError::Configuration(source_error::plain(&error, true));
        // A `---` at the end begins a document with nothing in it.
        let files: Vec<Option<ConfigFile>> = serde_saphyr::from_multiple(yaml).map_err(bad)?;
        let mut files = files.into_iter().flatten();
        let file = match (files.next(), files.next()) {
            (Some(file), None) => file,
            (None, _) => {
                return Err(RoutingError::Configuration("nothing in it: expected `route:`".to_owned()));
            }
            _ => return Err(RoutingError::Configuration("a second document: expected one".to_owned())),
        };
        let top = Route {
            receiver: String::new(),
            group_by: Vec::new(),
            group_wait: GROUP_WAIT,
            group_interval: GROUP_INTERVAL,
            repeat_interval: REPEAT_INTERVAL,
            muting: Muting::default(),
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
        Ok(Self { root: Node::build(&file.route, &top)?, receivers, intervals: Intervals::new(named) })
    }

    /// The routes an alert with these labels takes, in order.
    #[must_use]
    pub fn of(&self, labels: &Labels) -> Vec<&Route> {
        self.taken(labels, true)
    }

    /// The routes an alert may take of which these labels are known and others may come.
    #[must_use]
    pub fn possible(&self, known: &Labels) -> Vec<&Route> {
        self.taken(known, false)
    }

    fn taken(&self, labels: &Labels, complete: bool) -> Vec<&Route> {
        let mut found = Vec::new();
        self.root.walk(labels, complete, &mut found);
        if found.is_empty() {
            found.push(&self.root.route); // The root takes whatever nobody took.
        }
        found
    }

    /// Why this route sends nothing at this instant, `None` when it does.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub fn muted(&self, route: &Route, now: Timestamp) -> Result<Option<String>, RoutingError> {
        self.intervals.muted(&route.muting, now)
    }

    /// The longest GI of all routes.
    #[must_use]
    pub fn longest_interval(&self) -> Duration {
        self.root.longest_interval()
    }

    /// Kinds of channel a receiver has, each as often as it is configured; `None` when it is not defined.
    #[must_use]
    pub fn kinds(&self, receiver: &str) -> Option<&[String]> {
        self.receivers.get(receiver).map(Vec::as_slice)
    }
}

impl Node {
    fn build(file: &RouteFile, parent: &Route) -> Result<Self, RoutingError> {
        let route = Route {
            receiver: file.receiver.clone().unwrap_or_else(|| parent.receiver.clone()),
            group_by: file.group_by.clone().unwrap_or_else(|| parent.group_by.clone()),
            group_wait: file.group_wait.unwrap_or(parent.group_wait),
            group_interval: file.group_interval.unwrap_or(parent.group_interval),
            repeat_interval: file.repeat_interval.unwrap_or(parent.repeat_interval),
            // The only settings that are not inherited.
            muting: Muting {
                mute: file.mute_time_intervals.clone(),
                active: file.active_time_intervals.clone(),
            },
        };
        let mut conditions = Vec::new();
        for text in &file.matchers {
            conditions.extend(matchers(text)?);
        }
        for (is_regex, pairs) in [(false, &file.equal), (true, &file.match_re)] {
            for (name, value) in pairs {
                conditions.push(Matcher::new(name, value.as_deref().unwrap_or_default(), is_regex, true)?);
            }
        }
        let children =
            file.routes.iter().map(|child| Self::build(child, &route)).collect::<Result<_, _>>()?;
        Ok(Self { route, matchers: conditions, goes_on: file.goes_on.unwrap_or_default(), children })
    }

    fn longest_interval(&self) -> Duration {
        let below = self.children.iter().map(Self::longest_interval);
        below.fold(self.route.group_interval, Duration::max)
    }

    /// Adds the routes taken below and at this node; says whether there are any, `None` for perhaps: unless the labels are
    /// `complete`, those that are absent may be any.
    fn walk<'a>(&'a self, labels: &Labels, complete: bool, found: &mut Vec<&'a Route>) -> Option<bool> {
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
            found.push(&self.route);
        }
        open.is_empty().then_some(true)
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
