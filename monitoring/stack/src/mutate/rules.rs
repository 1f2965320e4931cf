//! Rules, broken: each in every way that applies to it.
//!
//! A rule file is changed as text, so that nothing but the one place differs; the result is read back and compared, so
//! that a change that hit something else is an error and no mutant.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::drills::{self, Drill};
use super::mutant::{Kind, Mutant};
use crate::error::Error;

/// A comparison with a number.
static THRESHOLD: LazyLock<Regex> = LazyLock::new(|| pattern(r"([<>]=?) (\d+(?:\.\d+)?)\b"));
/// `label="value"`.
static EQUAL: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\b(\w+)="([^"]+)""#));
/// `label!="value"`: there the label is misspelt, since another value would match no less.
static UNEQUAL: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\b(\w+)!="([^"]*)""#));
/// `for:` on a line of its own.
static HOLD: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^ +for: (\w+)$"));
/// The rule's expression, with all its lines.
static EXPR: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?ms)^        expr:.*?(?:\n        \w+:|\z)"));
/// `severity:` on a line of its own.
static SEVERITY: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^ +severity: (\w+)$"));
/// Where a rule begins.
static RULE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^      - (?:alert|record): "));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns above are constant and tested")
}

/// A rule as read from its file.
struct Rule<'a> {
    file: &'a str,
    /// Its number in the file.
    index: usize,
    /// Where it is in the file's tree, as a JSON pointer.
    place: String,
    name: String,
    alerts: bool,
    expr: String,
    labels: BTreeMap<String, String>,
}

/// Every mutant of the rules in `files` (path → text).
///
/// # Errors
/// A file that is not laid out as the shipped ones are, an alert without a drill, a recording rule that none reads.
pub fn mutants(files: &BTreeMap<String, String>, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    let mut rules = Vec::new();
    for (file, text) in files {
        rules.extend(read(file, text)?);
    }
    let mut found = Vec::new();
    for rule in &rules {
        let speaker = if rule.alerts { Some(rule) } else { reader(&rules, &rule.name, rules.len()) };
        let speaker = speaker.ok_or_else(|| {
            Error::Usage(format!("{}: no alert reads `{}`: nothing could notice", rule.file, rule.name))
        })?;
        let proving = drills::of(drills, &speaker.name, &speaker.labels);
        if proving.is_empty() {
            return Err(Error::Usage(format!("{}: the alert {} has no drill", speaker.file, speaker.name)));
        }
        let text = &files[rule.file];
        for (kind, change, broken) in breaks(rule, text)? {
            let mutant = Mutant {
                kind,
                of: rule.name.clone(),
                change,
                alert: speaker.name.clone(),
                drills: proving.iter().map(|drill| drill.name.clone()).collect(),
                file: rule.file.to_owned(),
                text: broken,
            };
            check(rule, text, &mutant)?;
            found.push(mutant);
        }
    }
    Ok(found)
}

/// The alert that reads a recorded metric, directly or through another one.
fn reader<'a>(rules: &'a [Rule<'a>], metric: &str, depth: usize) -> Option<&'a Rule<'a>> {
    let reads = |rule: &&Rule<'_>| rule.name != metric && rule.expr.contains(metric);
    let direct = rules.iter().filter(reads).find(|rule| rule.alerts);
    // Rules that read each other in a circle end this after as many steps as there are rules.
    let next = depth.checked_sub(1)?;
    direct.or_else(|| rules.iter().filter(reads).find_map(|rule| reader(rules, &rule.name, next)))
}

fn read<'a>(file: &'a str, text: &str) -> Result<Vec<Rule<'a>>, Error> {
    let tree = tree(file, text)?;
    let groups = tree["groups"].as_array().into_iter().flatten().enumerate();
    let rules = groups.flat_map(|(at, group)| {
        let rules = group["rules"].as_array().into_iter().flatten().enumerate();
        rules.map(move |(nth, rule)| (format!("/groups/{at}/rules/{nth}"), rule))
    });
    let read = |(index, (place, rule)): (usize, (String, &Value))| {
        let string = |key: &str| rule[key].as_str().map(str::to_owned);
        let alert = string("alert");
        Rule {
            file,
            index,
            place,
            alerts: alert.is_some(),
            name: alert.or_else(|| string("record")).unwrap_or_default(),
            expr: string("expr").unwrap_or_default(),
            labels: serde_json::from_value(rule["labels"].clone()).unwrap_or_default(),
        }
    };
    let rules: Vec<_> = rules.enumerate().map(read).collect();
    if rules.len() != RULE.find_iter(text).count() {
        return Err(Error::Usage(format!(
            "{file}: each rule is to begin with `      - alert:` or `- record:`"
        )));
    }
    Ok(rules)
}

fn tree(file: &str, text: &str) -> Result<Value, Error> {
    serde_saphyr::from_str(text).map_err(|error| Error::Usage(format!("{file}: {}", error.without_snippet())))
}

/// Every way to break a rule: what, the change in words, the whole file with it.
fn breaks(rule: &Rule<'_>, text: &str) -> Result<Vec<(Kind, String, String)>, Error> {
    let starts: Vec<usize> = RULE.find_iter(text).map(|found| found.start()).collect();
    let start = starts[rule.index]; // as many as rules, see `read`
    let end = starts.get(rule.index + 1).copied().unwrap_or(text.len());
    let block = &text[start..end];
    let unread = |what: &str| {
        Error::Usage(format!("{}: `{}` has no {what} on lines of its own", rule.file, rule.name))
    };
    let expr = EXPR.find(block).ok_or_else(|| unread("`expr:`"))?;
    let mut found = Vec::new();
    let mut push = |kind, at: usize, old: &str, new: String, change: String| {
        let at = start + at;
        found.push((kind, change, format!("{}{new}{}", &text[..at], &text[at + old.len()..])));
    };
    let positive = |number: &str| number.parse::<f64>().is_ok_and(|number| number > 0.0);
    if rule.alerts
        && let Some(threshold) = THRESHOLD.captures_iter(expr.as_str()).find(|found| positive(&found[2]))
        && let (Ok(number), Some(old)) = (threshold[2].parse::<f64>(), threshold.get(0))
    {
        let new = format!("{} {}", &threshold[1], number * 1_000.0);
        let change = format!("{} -> {}", &threshold[2], number * 1_000.0);
        push(Kind::Threshold, expr.start() + old.start(), old.as_str(), new, change);
    }
    let matcher =
        EQUAL.captures(expr.as_str()).map(|found| (format!("{}=\"{}x\"", &found[1], &found[2]), found));
    let matcher = matcher.or_else(|| {
        UNEQUAL.captures(expr.as_str()).map(|found| (format!("{}x!=\"{}\"", &found[1], &found[2]), found))
    });
    if let Some((new, old)) = matcher.and_then(|(new, found)| Some((new, found.get(0)?))) {
        let change = format!("{} -> {new}", old.as_str());
        push(Kind::Matcher, expr.start() + old.start(), old.as_str(), new, change);
    }
    if !rule.alerts {
        return Ok(found);
    }
    match HOLD.captures(block).and_then(|found| found.get(1)) {
        Some(old) => {
            let seconds =
                drills::duration(old.as_str()).ok_or_else(|| unread("`for:` of one unit"))?.as_secs();
            let new = format!("{}s", seconds * 20);
            push(
                Kind::Hold,
                old.start(),
                old.as_str(),
                new,
                format!("for: {} -> {}m", old.as_str(), seconds / 3),
            );
        }
        None => {
            push(Kind::Hold, expr.start(), "", "        for: 1h\n".to_owned(), "for: none -> 1h".to_owned())
        }
    }
    let severity =
        SEVERITY.captures(block).and_then(|found| found.get(1)).ok_or_else(|| unread("`severity:`"))?;
    let other = if severity.as_str() == "warning" { "critical" } else { "warning" };
    push(
        Kind::Severity,
        severity.start(),
        severity.as_str(),
        other.into(),
        format!("{} -> {other}", severity.as_str()),
    );
    Ok(found)
}

/// That the one field of the one rule differs and nothing else.
fn check(rule: &Rule<'_>, before: &str, mutant: &Mutant) -> Result<(), Error> {
    let (mut before, after) = (tree(rule.file, before)?, tree(rule.file, &mutant.text)?);
    let (place, field) = match mutant.kind {
        Kind::Hold => (rule.place.clone(), "for"),
        Kind::Severity => (format!("{}/labels", rule.place), "severity"),
        _ => (rule.place.clone(), "expr"),
    };
    let differs = before != after;
    if let (Some(into), Some(from)) = (before.pointer_mut(&place), after.pointer(&place)) {
        into[field] = from[field].clone();
    }
    if differs && before == after {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{}: `{}` could not be broken cleanly: more than its `{field}` would change, or nothing",
        rule.file, rule.name
    )))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
