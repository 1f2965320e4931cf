//! Broken routes of Alertmanager: each with every other receiver, a misspelt matcher, other labels to group by and inverted
//! time intervals.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::drills::Drill;
use super::mutant::{Kind, Mutant, parsed, place, replaced};
use crate::error::Error;

static MATCHER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^(\w+)="(\w+)"$"#).expect("the pattern is a valid constant"));

#[derive(Deserialize)]
struct Config {
    route: Option<Written>,
    #[serde(default)]
    receivers: Vec<Receiver>,
}

#[derive(Deserialize)]
struct Receiver {
    name: String,
}

#[derive(Deserialize)]
struct Written {
    receiver: Spanned<String>,
    #[serde(default)]
    matchers: Vec<Spanned<String>>,
    group_by: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    mute_time_intervals: Vec<Spanned<String>>,
    #[serde(default)]
    active_time_intervals: Vec<Spanned<String>>,
    #[serde(default)]
    routes: Vec<Written>,
}

/// A route of the file.
struct Route {
    receiver: String,
    /// Position of the receiver.
    place: Range<usize>,
    /// Label, value and end of the value; the root has none.
    matcher: Option<(String, String, usize)>,
    /// Positions of its labels in `group_by`; `None` if it inherits those of the root.
    group_by: Option<Vec<Range<usize>>>,
    /// Its keys of time intervals with their positions, each with the opposite key.
    intervals: Vec<(Range<usize>, &'static str)>,
}

/// The routes of Alertmanager's configuration: a root with one level of routes below it.
pub struct Routes<'a> {
    file: &'a str,
    text: &'a str,
    routes: Vec<Route>,
    receivers: Vec<String>,
}

impl<'a> Routes<'a> {
    /// Reads the routes of `file`.
    ///
    /// # Errors
    /// Another structure of the routes.
    pub fn read(file: &'a str, text: &'a str) -> Result<Self, Error> {
        let config: Config = parsed(file, text)?;
        let routes = read(file, text, config.route)?;
        Ok(Self { file, text, routes, receivers: config.receivers.into_iter().map(|it| it.name).collect() })
    }

    /// Every mutant of the routes.
    ///
    /// # Errors
    /// A route that no drill uses, or whose grouping no drill expects, so that no drill could notice.
    pub fn mutants(&self, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
        let mut found = Vec::new();
        for (index, route) in self.routes.iter().enumerate() {
            let drill = self.quickest(drills, |at| at == index).ok_or_else(|| {
                self.unread(&format!(
                    "the route to `{}` is used by no drill, so no drill can notice its mutation",
                    route.receiver
                ))
            })?;
            let name =
                if index == 0 { "the root route".to_owned() } else { format!("route {}", route.receiver) };
            let mutant = |kind, drill: &Drill, change: String, place: &Range<usize>, new: &str| Mutant {
                kind,
                of: name.clone(),
                change,
                alerts: vec![drill.alert.clone()],
                drills: vec![drill.name.clone()],
                file: self.file.to_owned(),
                text: replaced(self.text, place, new),
            };
            for other in self.receivers.iter().filter(|it| **it != route.receiver) {
                let change = format!("receiver: {} -> {other}", route.receiver);
                found.push(mutant(Kind::Receiver, drill, change, &route.place, other));
            }
            if let Some((label, value, end)) = &route.matcher {
                let change = format!("{label}=\"{value}\" -> {label}=\"{value}x\"");
                found.push(mutant(Kind::Route, drill, change, &(*end..*end), "x"));
            }
            for (place, opposite) in &route.intervals {
                let change = format!("{} -> {opposite}", &self.text[place.clone()]);
                found.push(mutant(Kind::Interval, drill, change, place, opposite));
            }
            let Some(labels) = route.group_by.as_ref().filter(|labels| !labels.is_empty()) else { continue };
            let inherits = |at: usize| at == index || (index == 0 && self.routes[at].group_by.is_none());
            let expecting: Vec<Drill> =
                drills.iter().filter(|drill| !drill.expect.grouped_by.is_empty()).cloned().collect();
            let drill = self.quickest(&expecting, inherits).ok_or_else(|| {
                self.unread(&format!(
                    "no drill of the route to `{}` has `expect.grouped_by`, so no drill can notice another `group_by`",
                    route.receiver
                ))
            })?;
            let all = labels[0].start..labels[labels.len() - 1].end;
            let old = &self.text[all.clone()];
            for label in labels {
                let end = label.end;
                let change = format!("{old} -> {}x", &self.text[label.clone()]);
                found.push(mutant(Kind::Grouping, drill, change, &(end..end), "x"));
            }
            for (new, meaning) in [("", "none"), ("'...'", "...")] {
                found.push(mutant(Kind::Grouping, drill, format!("{old} -> {meaning}"), &all, new));
            }
        }
        Ok(found)
    }

    /// The quickest of the drills that use a route to this receiver.
    #[must_use]
    pub fn drill_of<'d>(&self, drills: &'d [Drill], receiver: &str) -> Option<&'d Drill> {
        self.quickest(drills, |at| self.routes[at].receiver == receiver)
    }

    fn quickest<'d>(&self, drills: &'d [Drill], route: impl Fn(usize) -> bool) -> Option<&'d Drill> {
        let proving = drills.iter().filter(|drill| !drill.alert.is_empty());
        proving.filter(|drill| route(taken(&self.routes, drill))).min_by_key(|drill| drill.promised)
    }

    fn unread(&self, what: &str) -> Error {
        Error::Usage(format!("{}: {what}", self.file))
    }
}

fn read(file: &str, text: &str, root: Option<Written>) -> Result<Vec<Route>, Error> {
    let unread = |what: &str| Error::Usage(format!("{file}: {what}"));
    let mut root = root.ok_or_else(|| unread("missing `route:`"))?;
    let below = std::mem::take(&mut root.routes);
    let mut routes: Vec<Route> = Vec::new();
    for written in std::iter::once(root).chain(below) {
        let Written { receiver, matchers, group_by, mute_time_intervals, active_time_intervals, .. } =
            written;
        let matcher = matchers.first().map(place).and_then(|at| {
            let found = MATCHER.captures(&text[at.clone()])?;
            Some((found[1].to_owned(), found[2].to_owned(), at.start + found.get(2)?.end()))
        });
        if matcher.is_none() != routes.is_empty() || matchers.len() > 1 {
            let reason = "every route but the root must have one `matchers: [label=\"value\"]`";
            return Err(unread(&format!("the route to `{}`: {reason}", receiver.value)));
        }
        let group_by: Option<Vec<_>> = group_by.map(|labels| labels.iter().map(place).collect());
        if group_by
            .as_ref()
            .and_then(|labels| labels.first())
            .is_some_and(|first| !text[..first.start].ends_with('['))
        {
            return Err(unread(&format!("the route to `{}`: write `group_by: [a, b]`", receiver.value)));
        }
        let (mute, active) = ("mute_time_intervals", "active_time_intervals");
        let intervals = [(mute_time_intervals, mute, active), (active_time_intervals, active, mute)];
        let intervals = intervals.into_iter().filter_map(|(names, key, opposite)| {
            let start = text[..place(names.first()?).start].rfind(key)?;
            Some((start..start + key.len(), opposite))
        });
        routes.push(Route {
            place: place(&receiver),
            receiver: receiver.value,
            matcher,
            group_by,
            intervals: intervals.collect(),
        });
    }
    Ok(routes)
}

/// The route of an alert: the first below the root whose matcher matches, else the root.
fn taken(routes: &[Route], drill: &Drill) -> usize {
    let mut labels: BTreeMap<&str, &str> =
        drill.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    labels.insert("alertname", &drill.alert);
    let meets = |route: &Route| {
        route
            .matcher
            .as_ref()
            .is_some_and(|(label, value, _)| labels.get(label.as_str()) == Some(&value.as_str()))
    };
    routes.iter().position(meets).unwrap_or(0)
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
