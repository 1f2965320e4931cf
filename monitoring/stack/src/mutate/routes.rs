//! Broken routes of Alertmanager: each with every other receiver, and with a misspelt matcher.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::drills::Drill;
use super::mutant::{Kind, Mutant, parsed, pattern, place};
use crate::error::Error;

static MATCHER: LazyLock<Regex> = LazyLock::new(|| pattern(r#"^(\w+)="(\w+)"$"#));

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
}

/// Every mutant of the routes of Alertmanager's configuration, a root with one level of routes below it.
///
/// # Errors
/// Another structure of the routes; or a route that no drill uses, so that no drill could notice.
pub fn mutants(file: &str, text: &str, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    let config: Config = parsed(file, text)?;
    let routes = read(file, text, config.route)?;
    let mut found = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        let taking = drills.iter().filter(|drill| taken(&routes, drill) == index);
        let drill = taking.min_by_key(|drill| drill.promised).ok_or_else(|| {
            Error::Usage(format!(
                "{file}: the route to `{}` is used by no drill, so no drill can notice its mutation",
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
        for Receiver { name: other } in config.receivers.iter().filter(|it| it.name != route.receiver) {
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

fn read(file: &str, text: &str, root: Option<Written>) -> Result<Vec<Route>, Error> {
    let unread = |what: &str| Error::Usage(format!("{file}: {what}"));
    let mut root = root.ok_or_else(|| unread("missing `route:`"))?;
    let below = std::mem::take(&mut root.routes);
    let mut routes: Vec<Route> = Vec::new();
    for Written { receiver, matchers, .. } in std::iter::once(root).chain(below) {
        let matcher = matchers.first().map(place).and_then(|at| {
            let found = MATCHER.captures(&text[at.clone()])?;
            Some((found[1].to_owned(), found[2].to_owned(), at.start + found.get(2)?.end()))
        });
        if matcher.is_none() != routes.is_empty() || matchers.len() > 1 {
            let reason = "every route but the root must have one `matchers: [label=\"value\"]`";
            return Err(unread(&format!("the route to `{}`: {reason}", receiver.value)));
        }
        routes.push(Route { place: place(&receiver), receiver: receiver.value, matcher });
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
