//! Where a rule file has its groups: at the top, as Prometheus reads it, or below `spec` of Kubernetes manifests.

use crate::document::report::ScaleError;
use crate::document::tree::{Kind, Node, element, join};

/// A group of rules.
#[derive(Debug)]
pub struct RuleGroup<'a> {
    /// Where it stands, such as `groups[api]` or `spec.groups[api]`.
    pub field: String,
    /// Its fields.
    pub node: &'a Node,
}

/// Whether a file is about rules at all.
pub fn is_rule_file(root: &Node) -> bool {
    let kind = root.get("kind").and_then(Node::scalar);
    root.get("groups").is_some() || kind.is_some_and(|kind| KINDS.contains(&kind))
}

const KINDS: [&str; 3] = ["PrometheusRule", "PrometheusRuleList", "List"];

/// The groups of a rule file, of a `PrometheusRule`, or of those in a list of manifests.
///
/// # Errors
/// When there is no list of groups where one has to be.
pub fn rule_groups<'a>(file: &str, root: &'a Node) -> Result<Vec<RuleGroup<'a>>, ScaleError> {
    let mut found = Vec::new();
    let kind = root.get("kind").and_then(Node::scalar);
    match kind {
        Some("PrometheusRule") => manifest(file, root, "", &mut found)?,
        Some("List" | "PrometheusRuleList") => {
            let items = list(file, root, "items", "")?;
            for (at, item) in items.iter().enumerate() {
                // A list of the one kind need not repeat it; a list of any may hold others, which have no rules.
                let other = item.get("kind").and_then(Node::scalar).is_some_and(|it| it != "PrometheusRule");
                if !other {
                    manifest(file, item, &element("items", None, at), &mut found)?;
                }
            }
        }
        _ => groups(file, root, "", &mut found)?,
    }
    Ok(found)
}

fn manifest<'a>(
    file: &str,
    node: &'a Node,
    field: &str,
    found: &mut Vec<RuleGroup<'a>>,
) -> Result<(), ScaleError> {
    match node.get("spec") {
        Some(spec) => groups(file, spec, &join(field, "spec"), found),
        None => Err(error(file, node, &join(field, "spec"), "is missing: expected `groups:` in it")),
    }
}

fn groups<'a>(
    file: &str,
    node: &'a Node,
    field: &str,
    found: &mut Vec<RuleGroup<'a>>,
) -> Result<(), ScaleError> {
    for (at, group) in list(file, node, "groups", field)?.iter().enumerate() {
        let field = element(&join(field, "groups"), group.get("name"), at);
        found.push(RuleGroup { field, node: group });
    }
    Ok(())
}

/// The items under a key that has to be there, though nothing need be behind it.
fn list<'a>(file: &str, node: &'a Node, key: &str, field: &str) -> Result<&'a [Node], ScaleError> {
    let field = join(field, key);
    match node.get(key) {
        Some(Node { kind: Kind::List(items), .. }) => Ok(items),
        Some(value) if value.is_null() => Ok(&[]),
        Some(value) => Err(error(file, value, &field, "expected a list")),
        None => {
            let reason = "is missing: expected a rule file with `groups:`, or a PrometheusRule manifest with `spec.groups:`";
            Err(error(file, node, &field, reason))
        }
    }
}

fn error(file: &str, node: &Node, field: &str, reason: &str) -> ScaleError {
    ScaleError {
        file: file.to_owned(),
        line: Some(node.line),
        field: field.to_owned(),
        reason: reason.to_owned(),
    }
}
