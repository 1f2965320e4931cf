//! `alertmanager.yml`: the waits of the routing tree, `resolve_timeout`, receivers' timeouts and addresses.

use std::time::Duration;

use crate::document::editor::{Sheet, floor_note, join};
use crate::document::report::ScaleError;
use crate::document::tree::{Kind, Node};
use crate::scale::address::Matching;
use crate::scale::factor::{FLOOR, Factor};
use crate::scale::prometheus::element;
use common::duration;

/// What Alertmanager takes where the top route does not say.
const ROUTE_DEFAULTS: [(&str, Duration); 3] = [
    ("group_wait", Duration::from_secs(30)),
    ("group_interval", Duration::from_secs(5 * 60)),
    ("repeat_interval", Duration::from_secs(4 * 3600)),
];

/// What Alertmanager takes where `global` does not say.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Edits the sheet.
pub fn scale(sheet: &mut Sheet, factor: Factor, addresses: &mut Matching) -> Result<(), ScaleError> {
    let root = sheet.tree();
    match root.get("global").filter(|global| !global.is_null()) {
        Some(global) => {
            sheet.divide_or_default(global, "resolve_timeout", "global", factor, RESOLVE_TIMEOUT)?;
            receiver_addresses(sheet, global, "global", addresses)?;
        }
        None if root.get("global").is_some() && !factor.is_one() => {
            sheet.warn(
                "global",
                "is empty, so that `resolve_timeout` stays 5m: write it out, or leave `global` out",
            );
        }
        None => {
            let divided = factor.divide(RESOLVE_TIMEOUT, FLOOR);
            if divided.to != RESOLVE_TIMEOUT {
                let to = duration::format(divided.to);
                sheet.insert(&root, "global", "", &format!("{{resolve_timeout: {to}}}"))?;
                sheet.note_change(
                    "global.resolve_timeout",
                    "5m (default)",
                    &to,
                    floor_note(divided.instead_of),
                );
            }
        }
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
        let field = element("receivers", receiver.get("name"), at);
        receiver_addresses(sheet, receiver, &field, addresses)?;
        receiver_waits(sheet, receiver, &field, factor)?;
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

/// How long an attempt to deliver may take, and when a ticket is opened anew. Pushover takes no shorter `retry` and `expire`
/// than it has.
fn receiver_waits(sheet: &mut Sheet, receiver: &Node, field: &str, factor: Factor) -> Result<(), ScaleError> {
    for (kind, _) in receiver.entries().iter().filter(|(key, _)| key.ends_with("_configs")) {
        for (at, one) in sheet.list(receiver, kind, field)?.iter().enumerate() {
            let field = element(&join(field, kind), None, at);
            for key in ["timeout", "reopen_duration"] {
                sheet.divide(one, key, &field, factor)?;
            }
            for key in ["retry", "expire"] {
                if one.get(key).is_some() && !factor.is_one() {
                    sheet.warn(&join(&field, key), "is left as it is: the service sets how short it may be");
                }
            }
        }
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
pub fn companions(sheet: &mut Sheet, node: &Node) {
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
