//! Scales rule files: group intervals, `for`, `keep_firing_for`, durations in expressions, and addresses in links.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use crate::document::editor::{Editor, floor_note};
use crate::document::report::ScaleError;
use crate::document::rule_groups::RuleGroup;
use crate::document::tree::{Node, element, join};
use crate::scale::address::Matching;
use crate::scale::factor::{FLOOR, Factor, SCRAPES_PER_RANGE};
use crate::scale::prometheus::Scrapes;
use common::duration;
use promql::{self, Change, Occurrence, Place};

/// Edits the file; ranges are kept long enough for several of the `scrapes`.
pub fn scale(
    editor: &mut Editor,
    factor: Factor,
    scrapes: &Scrapes,
    addresses: &mut Matching,
) -> Result<(), ScaleError> {
    let root = editor.tree();
    for RuleGroup { field, node: group } in editor.rule_groups(&root)? {
        editor.divide(group, "interval", &field, factor)?;
        editor.divide(group, "query_offset", &field, factor)?;
        for (at, rule) in editor.list(group, "rules", &field)?.iter().enumerate() {
            let name = rule.get("alert").or_else(|| rule.get("record"));
            let field = element(&join(&field, "rules"), name, at);
            editor.divide(rule, "for", &field, factor)?;
            editor.divide(rule, "keep_firing_for", &field, factor)?;
            expression(editor, rule, &join(&field, "expr"), factor, scrapes)?;
            for (key, link) in rule.get("annotations").map(Node::entries).unwrap_or_default() {
                if key.ends_with("_url") {
                    addresses.replace_in(editor, link, &join(&join(&field, "annotations"), key))?;
                }
            }
        }
    }
    Ok(())
}

fn expression(
    editor: &mut Editor,
    rule: &Node,
    field: &str,
    factor: Factor,
    scrapes: &Scrapes,
) -> Result<(), ScaleError> {
    let node = rule.get("expr").ok_or_else(|| editor.error(rule, field, "is missing: expected PromQL"))?;
    let expr = node.scalar().ok_or_else(|| editor.error(node, field, "expected PromQL"))?;
    let fail = |error: promql::Error| editor.error(node, field, error);
    let divide = |occurrence: &Occurrence| factor.divide(occurrence.from, floor(occurrence, scrapes));
    let (_, changes) = promql::rewrite_durations(expr, |occurrence| divide(occurrence).to).map_err(fail)?;
    let stays = promql::stays(expr).map_err(fail)?;
    let occurrences = promql::durations(expr).map_err(fail)?;
    let lifted: BTreeSet<String> =
        occurrences.iter().filter_map(|occurrence| lifted(occurrence, factor, scrapes)).collect();
    let parts: Vec<(Range<usize>, String)> =
        changes.iter().map(|change| (change.at.clone(), duration::format(change.to))).collect();
    if !parts.is_empty() {
        editor.replace(node, field, &parts)?;
    }
    for Change { occurrence, to, .. } in changes {
        let note = floor_note(divide(&occurrence).instead_of);
        let field = format!("{field}: {}", occurrence.place);
        editor.note_change(&field, &duration::format(occurrence.from), &duration::format(to), note);
    }
    lifted.into_iter().for_each(|reason| editor.warn(field, reason));
    for reason in stays.into_iter().filter(|_| !factor.is_one()) {
        editor.warn(field, reason);
    }
    Ok(())
}

fn is_range(occurrence: &Occurrence) -> bool {
    matches!(occurrence.place, Place::Range | Place::SubqueryRange)
}

fn floor(occurrence: &Occurrence, scrapes: &Scrapes) -> Duration {
    match is_range(occurrence) {
        true => FLOOR.max(scrapes.longest(occurrence.jobs.as_ref()).0 * SCRAPES_PER_RANGE),
        false => FLOOR,
    }
}

/// The warning for a range that a slow job keeps long although its expression names no job.
fn lifted(occurrence: &Occurrence, factor: Factor, scrapes: &Scrapes) -> Option<String> {
    let (longest, slowest) = scrapes.longest(occurrence.jobs.as_ref());
    let slowest = slowest.filter(|_| is_range(occurrence))?;
    let usual = factor.divide(occurrence.from, FLOOR.max(scrapes.every() * SCRAPES_PER_RANGE)).to;
    let to = factor.divide(occurrence.from, floor(occurrence, scrapes)).to;
    (to > usual).then(|| {
        format!(
            "the {} of {} selects no job of prometheus.yml, so it covers {SCRAPES_PER_RANGE} scrapes of the slowest job, `{slowest}` (every {}): to shorten it, add `job=\"…\"` to its selectors",
            occurrence.place,
            duration::format(occurrence.from),
            duration::format(longest)
        )
    })
}
