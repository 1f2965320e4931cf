//! Rule files: group intervals, `for`, `keep_firing_for`, the durations inside expressions, and the addresses in links.

use std::ops::Range;
use std::time::Duration;

use super::address::Matching;
use super::factor::{FLOOR, Factor, SCRAPES_PER_RANGE};
use super::prometheus::element;
use super::report::ScaleError;
use super::sheet::{Sheet, floor_note, join};
use super::yaml::Node;
use crate::duration;
use crate::promql::{self, Place};

/// Edits the sheet; `scraped_every` is the scrape interval, divided, that ranges must hold enough of.
pub(super) fn scale(
    sheet: &mut Sheet,
    factor: Factor,
    scraped_every: Duration,
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
            expression(sheet, rule, &join(&field, "expr"), factor, scraped_every)?;
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
    scraped_every: Duration,
) -> Result<(), ScaleError> {
    let node = rule.get("expr").ok_or_else(|| sheet.error(rule, field, "is missing: expected PromQL"))?;
    let expr = node.scalar().ok_or_else(|| sheet.error(node, field, "expected PromQL"))?;
    let floor = |place| match place {
        Place::Range | Place::SubqueryRange => FLOOR.max(scraped_every * SCRAPES_PER_RANGE),
        Place::SubqueryStep | Place::Offset => FLOOR,
    };
    let fail = |reason| sheet.error(node, field, reason);
    let (_, changes) =
        promql::rewrite_durations(expr, |place, from| factor.divide(from, floor(place)).to).map_err(fail)?;
    let stays = promql::stays(expr).map_err(fail)?;
    let parts: Vec<(Range<usize>, String)> =
        changes.iter().map(|change| (change.at.clone(), duration::format(change.to))).collect();
    if !parts.is_empty() {
        sheet.replace(node, field, &parts)?;
    }
    for change in changes {
        let note = floor_note(factor.divide(change.from, floor(change.place)).instead_of);
        let field = format!("{field}: {}", change.place);
        sheet.note_change(&field, &duration::format(change.from), &duration::format(change.to), note);
    }
    for reason in stays.into_iter().filter(|_| !factor.is_one()) {
        sheet.warn(field, reason);
    }
    Ok(())
}
