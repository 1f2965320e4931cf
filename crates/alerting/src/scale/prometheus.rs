//! `prometheus.yml`: intervals, timeouts, targets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::document::editor::{Sheet, floor_note, join};
use crate::document::report::ScaleError;
use crate::document::tree::Node;
use crate::scale::address::Matching;
use crate::scale::factor::{FLOOR, Factor};
use crate::scale::glob;
use common::duration;

/// What Prometheus takes when `scrape_interval` or `evaluation_interval` is not written.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// How often series get samples, divided.
#[derive(Debug)]
pub struct Scrapes {
    /// Where a job does not say.
    every: Duration,
    /// By `job_name`.
    jobs: BTreeMap<String, Duration>,
}

impl Scrapes {
    /// The longest interval of the jobs named; of all, with the one that has it, where a series can be any's.
    pub fn longest(&self, jobs: Option<&BTreeSet<String>>) -> (Duration, Option<&str>) {
        let named =
            jobs.and_then(|jobs| jobs.iter().map(|job| self.jobs.get(job)).collect::<Option<Vec<_>>>());
        if let Some(named) = named {
            return (named.into_iter().max().copied().unwrap_or_default(), None);
        }
        let slowest = self.jobs.iter().max_by_key(|(_, every)| **every);
        slowest.map_or((self.every, None), |(job, every)| (*every, Some(job)))
    }

    /// Where a job does not say.
    pub fn every(&self) -> Duration {
        self.every
    }
}

/// Edits the sheet and gives the scrape intervals.
pub fn scale(sheet: &mut Sheet, factor: Factor, addresses: &mut Matching) -> Result<Scrapes, ScaleError> {
    let root = sheet.tree();
    let mut scrapes = Scrapes { every: global(sheet, &root, factor)?, jobs: BTreeMap::new() };
    for (at, job) in sheet.list(&root, "scrape_configs", "")?.iter().enumerate() {
        let field = element("scrape_configs", job.get("job_name"), at);
        let own = sheet.divide(job, "scrape_interval", &field, factor)?;
        sheet.divide(job, "scrape_timeout", &field, factor)?;
        let name = job.get("job_name").and_then(Node::scalar).unwrap_or_default().to_owned();
        scrapes.jobs.insert(name, own.unwrap_or(scrapes.every));
        discovery(sheet, job, &field, factor)?;
        targets(sheet, job, &field, addresses)?;
    }
    if let Some(alerting) = root.get("alerting") {
        for (at, one) in sheet.list(alerting, "alertmanagers", "alerting")?.iter().enumerate() {
            let field = element("alerting.alertmanagers", None, at);
            sheet.divide(one, "timeout", &field, factor)?;
            discovery(sheet, one, &field, factor)?;
            targets(sheet, one, &field, addresses)?;
        }
    }
    if root.get("scrape_config_files").is_some() {
        sheet.warn(
            "scrape_config_files",
            "these files are not rendered: their intervals stay, and a relative path leads nowhere",
        );
    }
    for key in ["remote_write", "remote_read"] {
        if root.get(key).is_some_and(|it| !it.is_null()) && !factor.is_one() {
            let reason = "is left as it is, its timings and where it leads: a rehearsal that is to stay at home takes it out";
            sheet.warn(key, reason);
        }
    }
    crate::scale::alertmanager::companions(sheet, &root);
    Ok(scrapes)
}

fn global(sheet: &mut Sheet, root: &Node, factor: Factor) -> Result<Duration, ScaleError> {
    match root.get("global") {
        Some(global) if !global.is_null() => {
            let every =
                sheet.divide_or_default(global, "scrape_interval", "global", factor, DEFAULT_INTERVAL)?;
            sheet.divide(global, "scrape_timeout", "global", factor)?;
            sheet.divide_or_default(global, "evaluation_interval", "global", factor, DEFAULT_INTERVAL)?;
            sheet.divide(global, "rule_query_offset", "global", factor)?;
            Ok(every)
        }
        Some(empty) => {
            Err(sheet.error(empty, "global", "is empty: write `scrape_interval:` or leave it out"))
        }
        None => {
            let divided = factor.divide(DEFAULT_INTERVAL, FLOOR);
            if divided.to != DEFAULT_INTERVAL {
                let text = duration::format(divided.to);
                let raw = format!("{{scrape_interval: {text}, evaluation_interval: {text}}}");
                sheet.insert(root, "global", "", &raw)?;
                for key in ["scrape_interval", "evaluation_interval"] {
                    sheet.note_change(
                        &join("global", key),
                        "1m (default)",
                        &text,
                        floor_note(divided.instead_of),
                    );
                }
            }
            Ok(divided.to)
        }
    }
}

/// How often targets are looked for; what is not written keeps its default, which is a kind of discovery's own.
fn discovery(sheet: &mut Sheet, of: &Node, field: &str, factor: Factor) -> Result<(), ScaleError> {
    for (key, _) in of.entries().iter().filter(|(key, _)| key.ends_with("_sd_configs")) {
        for (at, one) in sheet.list(of, key, field)?.iter().enumerate() {
            sheet.divide(one, "refresh_interval", &element(&join(field, key), None, at), factor)?;
        }
    }
    Ok(())
}

fn targets(sheet: &mut Sheet, job: &Node, field: &str, addresses: &mut Matching) -> Result<(), ScaleError> {
    for (at, group) in sheet.list(job, "static_configs", field)?.iter().enumerate() {
        let field = element(&join(field, "static_configs"), None, at);
        for (at, target) in sheet.list(group, "targets", &field)?.iter().enumerate() {
            addresses.replace_in(sheet, target, &element(&join(&field, "targets"), None, at))?;
        }
    }
    Ok(())
}

/// Patterns under `rule_files`.
pub fn rule_files(sheet: &Sheet) -> Result<Vec<String>, ScaleError> {
    let root = sheet.tree();
    let mut patterns = Vec::new();
    for (at, node) in sheet.list(&root, "rule_files", "")?.iter().enumerate() {
        let field = element("rule_files", None, at);
        let pattern = node.scalar().ok_or_else(|| sheet.error(node, &field, "expected a path"))?;
        if pattern.starts_with('/') || pattern.split('/').any(|part| part == "..") {
            let reason = format!(
                "`{pattern}` leads outside the directory, where nothing is rendered: expected a path below prometheus.yml"
            );
            return Err(sheet.error(node, &field, reason));
        }
        let bad = glob::check(pattern).err().map(|error| format!("`{pattern}` {error}"));
        // Source: the expression that Prometheus holds against it, `^[^*]*(\*[^/]*)?$`.
        let starred = pattern.find('*').is_some_and(|at| pattern[at..].contains('/'));
        let starred = starred.then(|| {
            format!("`{pattern}` has a `*` before its last `/`, which Prometheus refuses: name each folder")
        });
        if let Some(reason) = bad.or(starred) {
            return Err(sheet.error(node, &field, reason));
        }
        patterns.push(pattern.trim_start_matches("./").to_owned());
    }
    Ok(patterns)
}

/// `list[name]`, or `list[2]` (from 0) where there is no name.
pub fn element(list: &str, name: Option<&Node>, at: usize) -> String {
    match name.and_then(Node::scalar) {
        Some(name) => format!("{list}[{name}]"),
        None => format!("{list}[{at}]"),
    }
}
