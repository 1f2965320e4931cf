//! Rule files: group intervals, `for`, `keep_firing_for`, the durations inside expressions, and the addresses in links.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use crate::document::editor::{Sheet, floor_note, join};
use crate::document::report::ScaleError;
use crate::document::tree::Node;
use crate::scale::address::Matching;
use crate::scale::factor::{FLOOR, Factor, SCRAPES_PER_RANGE};
use crate::scale::prometheus::{Scrapes, element};
use common::duration;
use promql::{self, Change, Place, Spot};

/// Edits the sheet; ranges hold enough of `scrapes`.
pub fn scale(
    sheet: &mut Sheet,
    factor: Factor,
    scrapes: &Scrapes,
    addresses: &mut Matching,
) -> Result<(), ScaleError> {
    let root = sheet.tree();
    for (at, group) in sheet.list(&root, "groups", "")?.iter().enumerate() {
        let field = element("groups", group.get("name"), at);
        sheet.divide(group, "interval", &field, factor)?;
        sheet.divide(group, "query_offset", &field, factor)?;
        for (at, rule) in sheet.list(group, "rules", &field)?.iter().enumerate() {
            let name = rule.get("alert").or_else(|| rule.get("record"));
            let field = element(&join(&field, "rules"), name, at);
            sheet.divide(rule, "for", &field, factor)?;
            sheet.divide(rule, "keep_firing_for", &field, factor)?;
            expression(sheet, rule, &join(&field, "expr"), factor, scrapes)?;
            for (key, link) in rule.get("annotations").map(Node::entries).unwrap_or_default() {
                if key.ends_with("_url") {
                    addresses.replace_in(sheet, link, &join(&join(&field, "annotations"), key))?;
                }
            }
        }
    }
    Ok(())
}

fn expression(
    sheet: &mut Sheet,
    rule: &Node,
    field: &str,
    factor: Factor,
    scrapes: &Scrapes,
) -> Result<(), ScaleError> {
    let node = rule.get("expr").ok_or_else(|| sheet.error(rule, field, "is missing: expected PromQL"))?;
    let expr = node.scalar().ok_or_else(|| sheet.error(node, field, "expected PromQL"))?;
    let fail = |reason| sheet.error(node, field, reason);
    let divide = |spot: &Spot| factor.divide(spot.from, floor(spot, scrapes));
    let (_, changes) = promql::rewrite_durations(expr, |spot| divide(spot).to).map_err(fail)?;
    let stays = promql::stays(expr).map_err(fail)?;
    let spots = promql::durations(expr).map_err(fail)?;
    let lifted: BTreeSet<String> = spots.iter().filter_map(|spot| lifted(spot, factor, scrapes)).collect();
    let parts: Vec<(Range<usize>, String)> =
        changes.iter().map(|change| (change.at.clone(), duration::format(change.to))).collect();
    if !parts.is_empty() {
        sheet.replace(node, field, &parts)?;
    }
    for Change { spot, to, .. } in changes {
        let note = floor_note(divide(&spot).instead_of);
        let field = format!("{field}: {}", spot.place);
        sheet.note_change(&field, &duration::format(spot.from), &duration::format(to), note);
    }
    lifted.into_iter().for_each(|reason| sheet.warn(field, reason));
    for reason in stays.into_iter().filter(|_| !factor.is_one()) {
        sheet.warn(field, reason);
    }
    Ok(())
}

fn is_range(spot: &Spot) -> bool {
    matches!(spot.place, Place::Range | Place::SubqueryRange)
}

fn floor(spot: &Spot, scrapes: &Scrapes) -> Duration {
    match is_range(spot) {
        true => FLOOR.max(scrapes.longest(spot.jobs.as_ref()).0 * SCRAPES_PER_RANGE),
        false => FLOOR,
    }
}

/// What to say of a range that one slow job keeps long, though nobody said that it is about that job.
fn lifted(spot: &Spot, factor: Factor, scrapes: &Scrapes) -> Option<String> {
    let (longest, slowest) = scrapes.longest(spot.jobs.as_ref());
    let slowest = slowest.filter(|_| is_range(spot))?;
    let usual = factor.divide(spot.from, FLOOR.max(scrapes.every() * SCRAPES_PER_RANGE)).to;
    let to = factor.divide(spot.from, floor(spot, scrapes)).to;
    (to > usual).then(|| {
        format!(
            "the {} of {} names no job of prometheus.yml, so that it holds {SCRAPES_PER_RANGE} scrapes of the slowest, `{slowest}` (every {}): with \
             `job=\"…\"` in its selectors it becomes shorter",
            spot.place,
            duration::format(spot.from),
            duration::format(longest)
        )
    })
}
