//! Scales `prometheus.yml`: intervals, timeouts, targets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::document::editor::Editor;
use crate::document::report::ScaleError;
use crate::document::tree::{Node, element, join};
use crate::scale::address::Matching;
use crate::scale::alertmanager::companions;
use crate::scale::factor::{FLOOR, Factor};
use crate::scale::glob;

/// Prometheus' default of `scrape_interval` and `evaluation_interval`.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// Scrape intervals, divided.
#[derive(Debug)]
pub struct Scrapes {
    /// The default interval.
    every: Duration,
    /// Intervals by `job_name`.
    jobs: BTreeMap<String, Duration>,
}

impl Scrapes {
    /// The longest interval of these jobs; without jobs, the longest of all and the job that has it, since a series may belong to
    /// any job.
    pub fn longest(&self, jobs: Option<&BTreeSet<String>>) -> (Duration, Option<&str>) {
        let named =
            jobs.and_then(|jobs| jobs.iter().map(|job| self.jobs.get(job)).collect::<Option<Vec<_>>>());
        if let Some(named) = named {
            return (named.into_iter().max().copied().unwrap_or_default(), None);
        }
        let slowest = self.jobs.iter().max_by_key(|(_, every)| **every);
        slowest.map_or((self.every, None), |(job, every)| (*every, Some(job)))
    }

    /// The default interval.
    pub fn every(&self) -> Duration {
        self.every
    }
}

/// Edits the file and returns the scrape intervals.
pub fn scale(editor: &mut Editor, factor: Factor, addresses: &mut Matching) -> Result<Scrapes, ScaleError> {
    let root = editor.tree();
    let mut scrapes = Scrapes { every: global(editor, &root, factor)?, jobs: BTreeMap::new() };
    for (at, job) in editor.list(&root, "scrape_configs", "")?.iter().enumerate() {
        let field = element("scrape_configs", job.get("job_name"), at);
        let own = editor.divide(job, "scrape_interval", &field, factor)?;
        editor.divide(job, "scrape_timeout", &field, factor)?;
        let name = job.get("job_name").and_then(Node::scalar).unwrap_or_default().to_owned();
        scrapes.jobs.insert(name, own.unwrap_or(scrapes.every));
        discovery(editor, job, &field, factor)?;
        targets(editor, job, &field, addresses)?;
    }
    if let Some(alerting) = root.get("alerting") {
        for (at, one) in editor.list(alerting, "alertmanagers", "alerting")?.iter().enumerate() {
            let field = element("alerting.alertmanagers", None, at);
            editor.divide(one, "timeout", &field, factor)?;
            discovery(editor, one, &field, factor)?;
            targets(editor, one, &field, addresses)?;
        }
    }
    if root.get("scrape_config_files").is_some() {
        editor.warn(
            "scrape_config_files",
            "these files are not rendered: their intervals are not divided, and relative paths do not resolve",
        );
    }
    for key in ["remote_write", "remote_read"] {
        if root.get(key).is_some_and(|it| !it.is_null()) && !factor.is_one() {
            let reason =
                "keeps its durations and its URL: remove it if the scaled stack must not reach that URL";
            editor.warn(key, reason);
        }
    }
    companions(editor, &root)?;
    for (at, node) in editor.list(&root, "rule_files", "")?.iter().enumerate() {
        // The rendering of `/etc/rules.yml` is `etc/rules.yml` next to the rendered prometheus.yml.
        let pattern = node.scalar().unwrap_or_default();
        let slashes = pattern.len() - pattern.trim_start_matches('/').len();
        if slashes > 0 {
            let field = element("rule_files", None, at);
            editor.replace(node, &field, &[(0..slashes, String::new())])?;
            editor.note_change(&field, pattern, &pattern[slashes..], None);
        }
    }
    Ok(scrapes)
}

fn global(editor: &mut Editor, root: &Node, factor: Factor) -> Result<Duration, ScaleError> {
    match root.get("global") {
        Some(global) if !global.is_null() => {
            let every =
                editor.divide_or_default(global, "scrape_interval", "global", factor, DEFAULT_INTERVAL)?;
            editor.divide(global, "scrape_timeout", "global", factor)?;
            editor.divide_or_default(global, "evaluation_interval", "global", factor, DEFAULT_INTERVAL)?;
            editor.divide(global, "rule_query_offset", "global", factor)?;
            Ok(every)
        }
        _ => {
            let defaults = ["scrape_interval", "evaluation_interval"].map(|key| (key, DEFAULT_INTERVAL));
            editor.insert_section("global", factor, &defaults)?;
            Ok(factor.divide(DEFAULT_INTERVAL, FLOOR).to)
        }
    }
}

/// Divides refresh intervals of service discovery. Missing ones keep their default, which depends on the kind of discovery.
fn discovery(editor: &mut Editor, of: &Node, field: &str, factor: Factor) -> Result<(), ScaleError> {
    for (key, _) in of.entries().iter().filter(|(key, _)| key.ends_with("_sd_configs")) {
        for (at, one) in editor.list(of, key, field)?.iter().enumerate() {
            editor.divide(one, "refresh_interval", &element(&join(field, key), None, at), factor)?;
        }
    }
    Ok(())
}

fn targets(editor: &mut Editor, job: &Node, field: &str, addresses: &mut Matching) -> Result<(), ScaleError> {
    for (at, group) in editor.list(job, "static_configs", field)?.iter().enumerate() {
        let field = element(&join(field, "static_configs"), None, at);
        for (at, target) in editor.list(group, "targets", &field)?.iter().enumerate() {
            addresses.replace_in(editor, target, &element(&join(&field, "targets"), None, at))?;
        }
    }
    Ok(())
}

/// The patterns under `rule_files`.
pub fn rule_files(editor: &Editor) -> Result<Vec<String>, ScaleError> {
    let root = editor.tree();
    let mut patterns = Vec::new();
    for (at, node) in editor.list(&root, "rule_files", "")?.iter().enumerate() {
        let field = element("rule_files", None, at);
        let pattern = node.scalar().ok_or_else(|| editor.error(node, &field, "expected a path"))?;
        if glob::leads_outside(pattern.trim_start_matches('/')) {
            let reason = format!(
                "`{pattern}` is outside the directory, where files are not rendered: expected a path below that of prometheus.yml"
            );
            return Err(editor.error(node, &field, reason));
        }
        let bad = glob::check(pattern).err().map(|error| format!("`{pattern}` {error}"));
        // Source: the expression with which Prometheus checks patterns, `^[^*]*(\*[^/]*)?$`.
        let starred = pattern.find('*').is_some_and(|at| pattern[at..].contains('/'));
        let starred = starred.then(|| {
            format!(
                "`{pattern}` has a `*` before its last `/`, which Prometheus refuses: list each directory"
            )
        });
        if let Some(reason) = bad.or(starred) {
            return Err(editor.error(node, &field, reason));
        }
        patterns.push(pattern.trim_start_matches("./").to_owned());
    }
    Ok(patterns)
}
