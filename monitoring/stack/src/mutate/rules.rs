//! Broken rules: each in every applicable way.
//!
//! A rule file is changed as text, at the position of a value from the YAML parser, so that nothing else differs.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::drills::{self, Drill};
use super::expression::{self, Change};
use super::mutant::{Kind, Mutant, parsed, place, replaced};
use crate::error::Error;

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
    /// The metrics that its expression reads.
    metrics: Vec<String>,
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
        let affected = if rule.alerts() { vec![rule] } else { readers(&rules, rule.name()) };
        if affected.is_empty() {
            return Err(Error::Usage(format!(
                "{}: no alert uses `{}`, so no drill can notice its mutation",
                rule.file,
                rule.name()
            )));
        }
        let (mut proving, mut watching) = (Vec::new(), Vec::new());
        for alert in &affected {
            let own = drills::of(drills, alert.name(), &alert.labels());
            if own.is_empty() {
                return Err(Error::Usage(format!("{}: the alert {} has no drill", alert.file, alert.name())));
            }
            proving.extend(own);
            watching.extend(drills.iter().filter(|drill| drill.watches(alert.name())));
        }
        proving.sort_by_key(|drill| drill.promised);
        let mut alerts: Vec<String> = affected.iter().map(|alert| alert.name().to_owned()).collect();
        alerts.dedup();
        for (kind, change, text) in breaks(rule, &files[rule.file])? {
            // A rule that fires too easily is noticed by a drill in which it has to stay silent; one that excludes nothing, by
            // a negative control at first.
            let controls = watching.iter().copied().filter(|drill| drill.alert.is_empty());
            let (mut likely, then) = match kind {
                Kind::LowThreshold => (watching.clone(), &proving),
                Kind::Matcher if change.contains("!~") => {
                    (controls.chain(proving.clone()).collect(), &watching)
                }
                _ => (proving.clone(), &watching),
            };
            // Of several drills of an alert, the one about the changed part is the likeliest to notice.
            likely.sort_by_key(|drill| std::cmp::Reverse(drill.words_in(&change)));
            let mut names: Vec<String> = Vec::new();
            for drill in likely.iter().chain(then) {
                if !names.contains(&drill.name) {
                    names.push(drill.name.clone());
                }
            }
            found.push(Mutant {
                kind,
                of: rule.name().to_owned(),
                change,
                alerts: alerts.clone(),
                drills: names,
                file: rule.file.to_owned(),
                text,
            });
        }
    }
    Ok(found)
}

/// The labels that the alerts of `files` set, `alertname` among them.
///
/// # Errors
/// As [`mutants`].
pub fn alerts(files: &BTreeMap<String, String>) -> Result<Vec<BTreeMap<String, String>>, Error> {
    let mut found = Vec::new();
    for (file, text) in files {
        for rule in read(file, text)?.iter().filter(|rule| rule.alerts()) {
            let mut labels = rule.labels();
            labels.insert("alertname".to_owned(), rule.name().to_owned());
            found.push(labels);
        }
    }
    Ok(found)
}

/// The alerts that use a recorded metric, directly or through other ones.
fn readers<'a>(rules: &'a [Rule<'a>], metric: &'a str) -> Vec<&'a Rule<'a>> {
    let (mut found, mut recorded): (Vec<&'a Rule<'a>>, _) = (Vec::new(), vec![metric]);
    // Grows while it is read; each name is in it once, so rules that use each other in a circle end too.
    let mut next = 0;
    while let Some(name) = recorded.get(next).copied() {
        for rule in rules.iter().filter(|rule| rule.metrics.iter().any(|metric| metric == name)) {
            if rule.alerts() {
                if !found.iter().any(|known| std::ptr::eq(*known, rule)) {
                    found.push(rule);
                }
            } else if !recorded.contains(&rule.name()) {
                recorded.push(rule.name());
            }
        }
        next += 1;
    }
    found
}

fn read<'a>(file: &'a str, text: &str) -> Result<Vec<Rule<'a>>, Error> {
    let rules = parsed::<File>(file, text)?.groups.into_iter().flat_map(|group| group.rules);
    let read = |written: Written| {
        let at = trimmed(text, place(&written.expr));
        let before = &text[..at.start];
        let key = before.rfind("expr:").unwrap_or_default();
        let line = before[..key].rfind('\n').map_or(0, |end| end + 1);
        if !before[line..key].trim().is_empty() {
            return Err(Error::Usage(format!(
                "{file}: each rule must begin with `      - alert:` or `- record:`"
            )));
        }
        let expr = &text[at];
        let parts = promql::parts(expr).map_err(|error| Error::Usage(format!("{file}: {error}")))?;
        let metrics = parts.metrics.into_iter().map(|metric| expr[metric].to_owned()).collect();
        Ok(Rule { file, written, line, metrics })
    };
    rules.map(read).collect()
}

/// A range without trailing white space: a folded text reaches to the next key.
fn trimmed(text: &str, at: Range<usize>) -> Range<usize> {
    at.start..at.start + text[at.clone()].trim_end().len()
}

/// Every way to break a rule: the kind, a description of the change, and the complete changed file.
fn breaks(rule: &Rule<'_>, text: &str) -> Result<Vec<(Kind, String, String)>, Error> {
    let Rule { file, written, line, .. } = rule;
    let unread =
        |what: &str| Error::Usage(format!("{file}: `{}` has no {what} on separate lines", rule.name()));
    let at = trimmed(text, place(&written.expr));
    let expr = &text[at.clone()];
    let changes = if rule.alerts() { expression::of_alert(expr) } else { expression::of_recording(expr) };
    let changes = changes.map_err(|error| Error::Usage(format!("{file}: `{}`: {error}", rule.name())))?;
    let mut found: Vec<_> = changes
        .into_iter()
        .map(|Change { kind, what, edits }| {
            let apply = |text: String, (part, new): &(Range<usize>, String)| {
                replaced(&text, &(at.start + part.start..at.start + part.end), new)
            };
            (kind, what, edits.iter().rev().fold(text.to_owned(), apply))
        })
        .collect();
    if !rule.alerts() {
        return Ok(found);
    }
    let mut push = |kind, old: &Range<usize>, new: &str, change: String| {
        found.push((kind, change, replaced(text, old, new)));
    };
    match &written.hold {
        Some(old) => {
            let seconds = drills::duration(&old.value).ok_or_else(|| unread("`for:` of one unit"))?.as_secs();
            let change = format!("for: {} -> {}m", old.value, seconds / 3);
            push(Kind::Hold, &place(old), &format!("{}s", seconds * 20), change);
        }
        None => push(Kind::Hold, &(*line..*line), "        for: 1h\n", "for: none -> 1h".to_owned()),
    }
    let severity = written.labels.get("severity").ok_or_else(|| unread("`severity:`"))?;
    let other = if severity.value == "warning" { "critical" } else { "warning" };
    push(Kind::Severity, &place(severity), other, format!("{} -> {other}", severity.value));
    Ok(found)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
