//! `alertmanager.yml`: the waits of the routing tree, `resolve_timeout`, receivers' timeouts and addresses.

use std::time::Duration;

use crate::document::editor::Editor;
use crate::document::report::ScaleError;
use crate::document::tree::{Node, element, join};
use crate::scale::address::Matching;
use crate::scale::factor::Factor;

/// What Alertmanager takes where the top route does not say.
const ROUTE_DEFAULTS: [(&str, Duration); 3] = [
    ("group_wait", Duration::from_secs(30)),
    ("group_interval", Duration::from_secs(5 * 60)),
    ("repeat_interval", Duration::from_secs(4 * 3600)),
];

/// What Alertmanager takes where `global` does not say.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Edits the editor.
pub fn scale(editor: &mut Editor, factor: Factor, addresses: &mut Matching) -> Result<(), ScaleError> {
    let root = editor.tree();
    match root.get("global").filter(|global| !global.is_null()) {
        Some(global) => {
            editor.divide_or_default(global, "resolve_timeout", "global", factor, RESOLVE_TIMEOUT)?;
            receiver_addresses(editor, global, "global", addresses)?;
        }
        None if root.get("global").is_some() && !factor.is_one() => {
            editor.warn(
                "global",
                "is empty, so that `resolve_timeout` stays 5m: write it out, or leave `global` out",
            );
        }
        None => editor.insert_section("global", factor, &[("resolve_timeout", RESOLVE_TIMEOUT)])?,
    }
    if let Some(top) = root.get("route") {
        for (key, default) in ROUTE_DEFAULTS {
            editor.divide_or_default(top, key, "route", factor, default)?;
        }
        for (at, route) in editor.list(top, "routes", "route")?.iter().enumerate() {
            branch(editor, route, &element("route.routes", route.get("receiver"), at), factor)?;
        }
    }
    for (at, receiver) in editor.list(&root, "receivers", "")?.iter().enumerate() {
        let field = element("receivers", receiver.get("name"), at);
        receiver_addresses(editor, receiver, &field, addresses)?;
        receiver_waits(editor, receiver, &field, factor)?;
    }
    for template in editor.list(&root, "templates", "")? {
        editor.companions.extend(template.scalar().map(str::to_owned));
    }
    companions(editor, &root)
}

/// A route below the top one inherits what it does not say.
fn branch(editor: &mut Editor, route: &Node, field: &str, factor: Factor) -> Result<(), ScaleError> {
    for (key, _) in ROUTE_DEFAULTS {
        editor.divide(route, key, field, factor)?;
    }
    for (at, below) in editor.list(route, "routes", field)?.iter().enumerate() {
        branch(editor, below, &element(&join(field, "routes"), below.get("receiver"), at), factor)?;
    }
    Ok(())
}

/// How long an attempt to deliver may take, and when a ticket is opened anew. Others, such as Pushover's `retry` and
/// `expire`, are the service's to set.
fn receiver_waits(
    editor: &mut Editor,
    receiver: &Node,
    field: &str,
    factor: Factor,
) -> Result<(), ScaleError> {
    for (kind, _) in receiver.entries().iter().filter(|(key, _)| key.ends_with("_configs")) {
        for (at, one) in editor.list(receiver, kind, field)?.iter().enumerate() {
            let field = element(&join(field, kind), None, at);
            for key in ["timeout", "reopen_duration"] {
                editor.divide(one, key, &field, factor)?;
            }
        }
    }
    Ok(())
}

/// Every scalar whose name says that it is where to send to.
fn receiver_addresses(
    editor: &mut Editor,
    node: &Node,
    field: &str,
    addresses: &mut Matching,
) -> Result<(), ScaleError> {
    node.scalars("", field, &mut |key, field, value| {
        let leads_somewhere = key.ends_with("url") || key.ends_with("smarthost");
        if leads_somewhere { addresses.replace_in(editor, value, field) } else { Ok(()) }
    })
}

/// Files that a configuration reads by a path relative to itself: `…_file: path`, and `files:` of targets.
pub fn companions(editor: &mut Editor, root: &Node) -> Result<(), ScaleError> {
    root.scalars("", "", &mut |key, _, value| {
        if (key.ends_with("_file") && !value.is_null()) || key == "files" {
            editor.companions.extend(value.scalar().map(str::to_owned));
        }
        Ok(())
    })
}
