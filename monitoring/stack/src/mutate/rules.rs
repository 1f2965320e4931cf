//! Broken rules: each in every applicable way.
//!
//! A rule file is changed as text, at the position of a value from the YAML parser, so that nothing else differs.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::drills::{self, Drill};
use super::mutant::{Kind, Mutant, parsed, pattern, place};
use crate::error::Error;

/// A comparison with a number.
static THRESHOLD: LazyLock<Regex> = LazyLock::new(|| pattern(r"([<>]=?) (\d+(?:\.\d+)?)\b"));
/// `label="value"`.
static EQUAL: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\b(\w+)="([^"]+)""#));
/// `label!="value"`: here the label is misspelt, because another value would match as well.
static UNEQUAL: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\b(\w+)!="([^"]*)""#));

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    rules: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    alert: Option<String>,
    #[serde(default)]
    record: String,
    expr: Spanned<String>,
    #[serde(rename = "for")]
    hold: Option<Spanned<String>>,
    #[serde(default)]
    labels: BTreeMap<String, Spanned<String>>,
}

/// A rule as read from its file.
struct Rule<'a> {
    file: &'a str,
    written: Written,
    /// Start of the line of its expression.
    line: usize,
}

impl Rule<'_> {
    fn alerts(&self) -> bool {
        self.written.alert.is_some()
    }

    fn name(&self) -> &str {
        self.written.alert.as_deref().unwrap_or(&self.written.record)
    }

    fn labels(&self) -> BTreeMap<String, String> {
        self.written.labels.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect()
    }
}

/// Every mutant of the rules in `files` (path → text).
///
/// # Errors
/// A file with another layout than the shipped ones, an alert without a drill, or an unused recording rule.
pub fn mutants(files: &BTreeMap<String, String>, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    let mut rules = Vec::new();
    for (file, text) in files {
        rules.extend(read(file, text)?);
    }
    let mut found = Vec::new();
    for rule in &rules {
        let speaker = if rule.alerts() { Some(rule) } else { reader(&rules, rule.name(), rules.len()) };
        let speaker = speaker.ok_or_else(|| {
            Error::Usage(format!(
                "{}: no alert uses `{}`, so no drill can notice its mutation",
                rule.file,
                rule.name()
            ))
        })?;
        let proving = drills::of(drills, speaker.name(), &speaker.labels());
        if proving.is_empty() {
            return Err(Error::Usage(format!("{}: the alert {} has no drill", speaker.file, speaker.name())));
        }
        let text = &files[rule.file];
        for (kind, change, broken) in breaks(rule, text)? {
            found.push(Mutant {
                kind,
                of: rule.name().to_owned(),
                change,
                alert: speaker.name().to_owned(),
                drills: proving.iter().map(|drill| drill.name.clone()).collect(),
                file: rule.file.to_owned(),
                text: broken,
            });
        }
    }
    Ok(found)
}

/// The alert that uses a recorded metric, directly or through another one.
fn reader<'a>(rules: &'a [Rule<'a>], metric: &str, depth: usize) -> Option<&'a Rule<'a>> {
    let reads = |rule: &&Rule<'_>| rule.name() != metric && rule.written.expr.value.contains(metric);
    let direct = rules.iter().filter(reads).find(|rule| rule.alerts());
    // The number of rules bounds the steps, in case rules use each other in a circle.
    let next = depth.checked_sub(1)?;
    direct.or_else(|| rules.iter().filter(reads).find_map(|rule| reader(rules, rule.name(), next)))
}

fn read<'a>(file: &'a str, text: &str) -> Result<Vec<Rule<'a>>, Error> {
    let rules = parsed::<File>(file, text)?.groups.into_iter().flat_map(|group| group.rules);
    let read = |written: Written| {
        let before = &text[..place(&written.expr).start];
        let key = before.rfind("expr:").unwrap_or_default();
        let line = before[..key].rfind('\n').map_or(0, |end| end + 1);
        if before[line..key].trim().is_empty() {
            return Ok(Rule { file, written, line });
        }
        Err(Error::Usage(format!("{file}: each rule must begin with `      - alert:` or `- record:`")))
    };
    rules.map(read).collect()
}

/// Every way to break a rule: the kind, a description of the change, and the complete changed file.
fn breaks(rule: &Rule<'_>, text: &str) -> Result<Vec<(Kind, String, String)>, Error> {
    let Rule { file, written, line } = rule;
    let unread =
        |what: &str| Error::Usage(format!("{file}: `{}` has no {what} on separate lines", rule.name()));
    let at = place(&written.expr);
    let expr = &text[at.clone()];
    let mut found = Vec::new();
    let mut push = |kind, old: Range<usize>, new: &str, change: String| {
        found.push((kind, change, format!("{}{new}{}", &text[..old.start], &text[old.end..])));
    };
    let inside = |part: Range<usize>| at.start + part.start..at.start + part.end;
    let positive = |number: &str| number.parse::<f64>().ok().filter(|number| *number > 0.0);
    let threshold = THRESHOLD.captures_iter(expr).find_map(|found| Some((positive(&found[2])?, found)));
    if let Some((number, old)) = threshold.filter(|_| rule.alerts()) {
        let new = format!("{} {}", &old[1], number * 1_000.0);
        let change = format!("{} -> {}", &old[2], number * 1_000.0);
        push(Kind::Threshold, inside(old.get_match().range()), &new, change);
    }
    let equal = EQUAL.captures(expr).map(|old| (format!("{}=\"{}x\"", &old[1], &old[2]), old));
    let unequal = || UNEQUAL.captures(expr).map(|old| (format!("{}x!=\"{}\"", &old[1], &old[2]), old));
    if let Some((new, old)) = equal.or_else(unequal) {
        push(Kind::Matcher, inside(old.get_match().range()), &new, format!("{} -> {new}", &old[0]));
    }
    if !rule.alerts() {
        return Ok(found);
    }
    match &written.hold {
        Some(old) => {
            let seconds = drills::duration(&old.value).ok_or_else(|| unread("`for:` of one unit"))?.as_secs();
            let change = format!("for: {} -> {}m", old.value, seconds / 3);
            push(Kind::Hold, place(old), &format!("{}s", seconds * 20), change);
        }
        None => push(Kind::Hold, *line..*line, "        for: 1h\n", "for: none -> 1h".to_owned()),
    }
    let severity = written.labels.get("severity").ok_or_else(|| unread("`severity:`"))?;
    let other = if severity.value == "warning" { "critical" } else { "warning" };
    push(Kind::Severity, place(severity), other, format!("{} -> {other}", severity.value));
    Ok(found)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
