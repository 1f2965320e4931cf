//! Alertmanager's routes, broken: each led to every other receiver, and its matcher misspelt.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::drills::Drill;
use super::mutant::{Kind, Mutant};
use crate::error::Error;

static RECEIVER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^ +(?:- )?receiver: (\S+)$"));
static MATCHER: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?m)^ +matchers: \[(\w+)="(\w+)"\]$"#));
static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^  - name: (\S+)$"));
/// The section of the routing tree.
static TREE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?ms)^route:\n(?: .*?\n|\n)+?(?:\w|\z)"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns above are constant and tested")
}

/// A route as it stands in the file.
struct Route {
    receiver: String,
    /// Where the receiver stands.
    place: Range<usize>,
    /// Label, value, and where the value ends; the root has none.
    matcher: Option<(String, String, usize)>,
}

/// Every mutant of the routes of Alertmanager's configuration, a root with one level of routes below it.
///
/// # Errors
/// A tree that is written otherwise; a route that no drill's alert takes, whose break nobody could notice.
pub fn mutants(file: &str, text: &str, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    let routes = read(file, text)?;
    let receivers: Vec<&str> =
        NAME.captures_iter(text).filter_map(|found| Some(found.get(1)?.as_str())).collect();
    let mut found = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        let taking = drills.iter().filter(|drill| taken(&routes, drill) == index);
        let drill = taking.min_by_key(|drill| drill.promised).ok_or_else(|| {
            Error::Usage(format!(
                "{file}: no drill's alert takes the route to `{}`: nothing could notice",
                route.receiver
            ))
        })?;
        let mutant = |kind, change: String, place: Range<usize>, new: &str| Mutant {
            kind,
            of: if index == 0 { "the root route".to_owned() } else { format!("route {}", route.receiver) },
            change,
            alert: drill.alert.clone(),
            drills: vec![drill.name.clone()],
            file: file.to_owned(),
            text: format!("{}{new}{}", &text[..place.start], &text[place.end..]),
        };
        for other in receivers.iter().filter(|other| **other != route.receiver) {
            let change = format!("receiver: {} -> {other}", route.receiver);
            found.push(mutant(Kind::Receiver, change, route.place.clone(), other));
        }
        if let Some((label, value, end)) = &route.matcher {
            let change = format!("{label}=\"{value}\" -> {label}=\"{value}x\"");
            found.push(mutant(Kind::Route, change, *end..*end, "x"));
        }
    }
    Ok(found)
}

fn read(file: &str, text: &str) -> Result<Vec<Route>, Error> {
    let unread = |what: &str| Error::Usage(format!("{file}: {what}"));
    let tree = TREE.find(text).ok_or_else(|| unread("there is no `route:`"))?;
    let places: Vec<(String, Range<usize>)> = RECEIVER
        .captures_iter(tree.as_str())
        .filter_map(|found| found.get(1))
        .map(|found| (found.as_str().to_owned(), tree.start() + found.start()..tree.start() + found.end()))
        .collect();
    let ends = places.iter().skip(1).map(|(_, place)| place.start).chain([tree.end()]);
    let mut routes = Vec::new();
    for ((receiver, place), end) in places.iter().zip(ends) {
        let matcher = MATCHER.captures(&text[place.end..end]).and_then(|found| {
            let value = found.get(2)?;
            Some((found[1].to_owned(), value.as_str().to_owned(), place.end + value.end()))
        });
        if matcher.is_none() != routes.is_empty() {
            let reason = "each route but the root is to have one `matchers: [label=\"value\"]`";
            return Err(unread(&format!("the route to `{receiver}`: {reason}")));
        }
        routes.push(Route { receiver: receiver.clone(), place: place.clone(), matcher });
    }
    if routes.is_empty() { Err(unread("`route:` names no receiver")) } else { Ok(routes) }
}

/// The route that an alert takes: the first below the root whose matcher it meets, else the root.
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
