//! `alertmanager.yml`: the waits of the routing tree, `resolve_timeout`, receivers' addresses.

use std::time::Duration;

use super::address::Matching;
use super::factor::Factor;
use super::prometheus::element;
use super::report::ScaleError;
use super::sheet::{Sheet, join};
use super::yaml::{Kind, Node};

/// What Alertmanager takes where the top route does not say.
const ROUTE_DEFAULTS: [(&str, Duration); 3] = [
    ("group_wait", Duration::from_secs(30)),
    ("group_interval", Duration::from_secs(5 * 60)),
    ("repeat_interval", Duration::from_secs(4 * 3600)),
];

/// Edits the sheet.
pub(super) fn scale(sheet: &mut Sheet, factor: Factor, addresses: &mut Matching) -> Result<(), ScaleError> {
    let root = sheet.tree();
    if let Some(global) = root.get("global") {
        sheet.divide(global, "resolve_timeout", "global", factor)?;
        receiver_addresses(sheet, global, "global", addresses)?;
    }
    if let Some(top) = root.get("route") {
        for (key, default) in ROUTE_DEFAULTS {
            sheet.divide_or_default(top, key, "route", factor, default)?;
        }
        for (at, route) in sheet.list(top, "routes", "route")?.iter().enumerate() {
            branch(sheet, route, &element("route.routes", route.get("receiver"), at), factor)?;
        }
    }
    for (at, receiver) in sheet.list(&root, "receivers", "")?.iter().enumerate() {
        receiver_addresses(sheet, receiver, &element("receivers", receiver.get("name"), at), addresses)?;
    }
    for template in sheet.list(&root, "templates", "")? {
        sheet.companions.extend(template.scalar().map(str::to_owned));
    }
    companions(sheet, &root);
    Ok(())
}

/// A route below the top one inherits what it does not say.
fn branch(sheet: &mut Sheet, route: &Node, field: &str, factor: Factor) -> Result<(), ScaleError> {
    for (key, _) in ROUTE_DEFAULTS {
        sheet.divide(route, key, field, factor)?;
    }
    for (at, below) in sheet.list(route, "routes", field)?.iter().enumerate() {
        branch(sheet, below, &element(&join(field, "routes"), below.get("receiver"), at), factor)?;
    }
    Ok(())
}

/// Every scalar whose name says that it is where to send to.
fn receiver_addresses(
    sheet: &mut Sheet,
    node: &Node,
    field: &str,
    addresses: &mut Matching,
) -> Result<(), ScaleError> {
    match &node.kind {
        Kind::Map { entries, .. } => {
            for (key, value) in entries {
                let field = join(field, key);
                match value.kind {
                    Kind::Scalar { .. } if key.ends_with("url") || key.ends_with("smarthost") => {
                        addresses.replace_in(sheet, value, &field)?;
                    }
                    _ => receiver_addresses(sheet, value, &field, addresses)?,
                }
            }
        }
        Kind::List(items) => {
            for (at, item) in items.iter().enumerate() {
                receiver_addresses(sheet, item, &element(field, None, at), addresses)?;
            }
        }
        Kind::Scalar { .. } => {}
    }
    Ok(())
}

/// Files that a configuration reads by a path relative to itself: `…_file: path`, and `files:` of targets.
pub(super) fn companions(sheet: &mut Sheet, node: &Node) {
    match &node.kind {
        Kind::Map { entries, .. } => {
            for (key, value) in entries {
                match &value.kind {
                    Kind::Scalar { value: path, .. } if key.ends_with("_file") && !value.is_null() => {
                        sheet.companions.push(path.clone());
                    }
                    Kind::List(items) if key == "files" => {
                        sheet.companions.extend(items.iter().filter_map(Node::scalar).map(str::to_owned));
                    }
                    _ => companions(sheet, value),
                }
            }
        }
        Kind::List(items) => items.iter().for_each(|item| companions(sheet, item)),
        Kind::Scalar { .. } => {}
    }
}
