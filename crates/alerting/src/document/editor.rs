//! Edits one file in place: its tree, the edits so far, and a list of the changes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use crate::document::report::{Change, ScaleError, Warning};
use crate::document::rule_groups::{RuleGroup, rule_groups};
use crate::document::tree::{self, Kind, Node, join};
use crate::scale::factor::{self, Factor};
use common::duration;

pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) raw: String,
    pub(super) value: String,
    /// Number of fields that must get this value: several where an alias shares it.
    pub(super) fields: usize,
}

/// Edits one YAML file in place.
pub struct Editor {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) root: Node,
    /// Edits by the position at which the value starts.
    pub(super) edits: BTreeMap<usize, Edit>,
    /// Keys and raw values to insert, by the position of the first key of their map.
    pub(super) insertions: BTreeMap<usize, Vec<(String, String)>>,
    pub(super) changes: Vec<Change>,
    pub(super) warnings: Vec<Warning>,
    /// Start positions of durations that were divided, including those whose value did not change.
    divided: BTreeSet<usize>,
    pub(crate) companions: Vec<String>,
}

impl Editor {
    pub(crate) fn new(file: &str, text: &str) -> Result<Self, ScaleError> {
        let fail = |(line, reason)| ScaleError {
            line: Some(line),
            ..ScaleError::file(file, format!("not YAML: {reason}"))
        };
        let root = tree::parse(text).map_err(fail)?;
        if !matches!(root.kind, Kind::Map { .. }) {
            return Err(ScaleError::file(file, "expected a map such as `groups:` at the top level"));
        }
        Ok(Self {
            file: file.to_owned(),
            text: text.to_owned(),
            root,
            edits: BTreeMap::new(),
            insertions: BTreeMap::new(),
            changes: Vec::new(),
            warnings: Vec::new(),
            divided: BTreeSet::new(),
            companions: Vec::new(),
        })
    }

    /// A copy of the tree, to walk while editing.
    pub fn tree(&self) -> Node {
        self.root.clone()
    }

    pub(crate) fn error(&self, node: &Node, field: &str, reason: impl Into<String>) -> ScaleError {
        let (file, field) = (self.file.clone(), field.to_owned());
        ScaleError { file, line: Some(node.line), field, reason: reason.into() }
    }

    pub(crate) fn warn(&mut self, field: &str, reason: impl Into<String>) {
        self.warnings.push(Warning {
            file: self.file.clone(),
            field: field.to_owned(),
            reason: reason.into(),
        });
    }

    pub(crate) fn note_change(&mut self, field: &str, from: &str, to: &str, note: Option<String>) {
        let (file, field) = (self.file.clone(), field.to_owned());
        self.changes.push(Change { file, field, from: from.to_owned(), to: to.to_owned(), note });
    }

    /// The groups of a rule file, as found by [`rule_groups`].
    pub(crate) fn rule_groups<'n>(&self, root: &'n Node) -> Result<Vec<RuleGroup<'n>>, ScaleError> {
        rule_groups(&self.file, root)
    }

    /// The items of a list under `key`; none when the key is missing or empty.
    pub fn list<'n>(&self, node: &'n Node, key: &str, field: &str) -> Result<&'n [Node], ScaleError> {
        match node.get(key) {
            None => Ok(&[]),
            Some(value) if value.is_null() => Ok(&[]),
            Some(Node { kind: Kind::List(items), .. }) => Ok(items),
            Some(other) => Err(self.error(other, &join(field, key), "expected a list")),
        }
    }

    /// Whether a node is a duration that was divided.
    pub(crate) fn is_divided(&self, node: &Node) -> bool {
        self.divided.contains(&node.span.start)
    }

    /// Divides the duration under `key`, if there is one, and returns the result. A key without a value counts as missing.
    pub fn divide(
        &mut self,
        node: &Node,
        key: &str,
        field: &str,
        factor: Factor,
    ) -> Result<Option<Duration>, ScaleError> {
        let Some(value) = node.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
        let field = join(field, key);
        self.divided.insert(value.span.start);
        let text = value
            .scalar()
            .ok_or_else(|| self.error(value, &field, "expected a duration such as 15s, not a list or map"))?;
        let from = duration::parse(text).map_err(|reason| self.error(value, &field, reason))?;
        let divided = factor.divide(from, factor::FLOOR);
        if divided.to != from {
            let to = duration::format(divided.to);
            self.replace(value, &field, &[(0..text.len(), to.clone())])?;
            self.note_change(&field, text, &to, floor_note(divided.instead_of));
        }
        Ok(Some(divided.to))
    }

    /// Like [`Self::divide`]. A missing value is inserted if the division of its `default` differs from that default.
    pub fn divide_or_default(
        &mut self,
        node: &Node,
        key: &str,
        field: &str,
        factor: Factor,
        default: Duration,
    ) -> Result<Duration, ScaleError> {
        if let Some(to) = self.divide(node, key, field, factor)? {
            return Ok(to);
        }
        if let Some(to) = self.note_default(&join(field, key), factor, default) {
            self.insert(node, key, field, &to)?;
        }
        Ok(factor.divide(default, factor::FLOOR).to)
    }

    /// Inserts a missing section with those durations whose divided default differs from the default.
    pub fn insert_section(
        &mut self,
        section: &str,
        factor: Factor,
        defaults: &[(&str, Duration)],
    ) -> Result<(), ScaleError> {
        let noted = |(key, default): &(&str, Duration)| {
            let to = self.note_default(&join(section, key), factor, *default)?;
            Some(format!("{key}: {to}"))
        };
        let written: Vec<String> = defaults.iter().filter_map(noted).collect();
        if written.is_empty() {
            return Ok(());
        }
        self.insert(&self.tree(), section, "", &format!("{{{}}}", written.join(", ")))
    }

    /// The value to insert where `default` applies, if its division differs from it.
    fn note_default(&mut self, field: &str, factor: Factor, default: Duration) -> Option<String> {
        let divided = factor.divide(default, factor::FLOOR);
        let to = (divided.to != default).then(|| duration::format(divided.to))?;
        let from = format!("{} (default)", duration::format(default));
        self.note_change(field, &from, &to, floor_note(divided.instead_of));
        Some(to)
    }

    /// Replaces parts of a scalar's value. Parts consist of characters that are the same in every quoting style, so the n-th
    /// occurrence in the value is the n-th occurrence in the file.
    pub fn replace(
        &mut self,
        node: &Node,
        field: &str,
        parts: &[(Range<usize>, String)],
    ) -> Result<(), ScaleError> {
        let old = node.scalar().unwrap_or_default();
        let raw = &self.text[node.span.clone()];
        let (mut new_raw, mut new_value) = (String::new(), String::new());
        let (mut raw_done, mut value_done) = (0, 0);
        for (range, to) in parts {
            let part = &old[range.clone()];
            let nth = old.match_indices(part).take_while(|(at, _)| *at < range.start).count();
            let same_count = old.matches(part).count() == raw.matches(part).count();
            let at =
                raw.match_indices(part).nth(nth).map(|(at, _)| at).filter(|at| same_count && *at >= raw_done);
            let at = at.ok_or_else(|| {
                self.error(node, field, format!("`{part}` contains escapes: write it without them"))
            })?;
            new_raw.push_str(&raw[raw_done..at]);
            new_raw.push_str(to);
            raw_done = at + part.len();
            new_value.push_str(&old[value_done..range.start]);
            new_value.push_str(to);
            value_done = range.end;
        }
        new_raw.push_str(&raw[raw_done..]);
        new_value.push_str(&old[value_done..]);
        self.write(node, field, new_raw, &new_value)
    }

    fn write(&mut self, node: &Node, field: &str, raw: String, value: &str) -> Result<(), ScaleError> {
        let range = node.span.clone();
        let new = Edit { range: range.clone(), raw, value: value.to_owned(), fields: 0 };
        let edit = self.edits.entry(range.start).or_insert(new);
        if edit.value != value {
            let reason = "shared by an alias with a field that needs a different value: write the value in both places";
            return Err(self.error(node, field, reason));
        }
        edit.fields += 1;
        Ok(())
    }

    /// Replaces a scalar by a string in JSON's form, which is valid YAML.
    pub fn put(&mut self, node: &Node, field: &str, value: &str) -> Result<(), ScaleError> {
        self.write(node, field, serde_json::Value::from(value).to_string(), value)
    }

    /// Replaces a scalar by a value that is not a string, such as `true`.
    pub fn put_plain(&mut self, node: &Node, field: &str, value: &str) -> Result<(), ScaleError> {
        self.write(node, field, value.to_owned(), value)
    }

    /// Inserts `key: raw` before the first key of a map, or `raw` after the key if that has no value.
    pub fn insert(&mut self, map: &Node, key: &str, field: &str, raw: &str) -> Result<(), ScaleError> {
        if let Some(empty) = map.get(key) {
            let space = if self.text[..empty.span.start].ends_with(':') { " " } else { "" };
            return self.write(empty, &join(field, key), format!("{space}{raw}"), raw);
        }
        if map.entries().is_empty() {
            return Err(self.error(map, &join(field, key), format!("is missing: add `{key}: …`")));
        }
        let insertions = self.insertions.entry(self.first_key(map)).or_default();
        insertions.push((key.to_owned(), raw.to_owned()));
        Ok(())
    }

    pub(super) fn first_key(&self, map: &Node) -> usize {
        let flow = matches!(map.kind, Kind::Map { flow: true, .. });
        if flow { map.span.start + 1 } else { map.span.start }
    }
}

pub(crate) fn floor_note(instead_of: Option<Duration>) -> Option<String> {
    instead_of
        .map(|plain| format!("raised to the minimum; the divided value would be {}", duration::format(plain)))
}
