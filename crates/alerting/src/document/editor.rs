//! One file under the pen: its tree, the edits so far, and what they were.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use crate::document::report::{Change, ScaleError, Warning};
use crate::document::tree::{self, Kind, Node, join};
use crate::scale::factor::{self, Factor};
use common::duration;

struct Edit {
    range: Range<usize>,
    raw: String,
    value: String,
}

/// See the module.
pub struct Editor {
    file: String,
    text: String,
    root: Node,
    /// By where they begin.
    edits: BTreeMap<usize, Edit>,
    /// Keys and raw values, by where the first key of the map stands that they go into.
    insertions: BTreeMap<usize, Vec<(String, String)>>,
    changes: Vec<Change>,
    warnings: Vec<Warning>,
    pub(crate) companions: Vec<String>,
}

/// A file that is done.
pub struct Finished {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) changes: Vec<Change>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) companions: Vec<String>,
}

impl Editor {
    pub(crate) fn new(file: &str, text: &str) -> Result<Self, ScaleError> {
        let fail = |(line, reason)| ScaleError {
            line: Some(line),
            ..ScaleError::whole(file, format!("not YAML: {reason}"))
        };
        let root = tree::parse(text).map_err(fail)?;
        if !matches!(root.kind, Kind::Map { .. }) {
            return Err(ScaleError::whole(file, "expected a map such as `groups:` at the top"));
        }
        Ok(Self {
            file: file.to_owned(),
            text: text.to_owned(),
            root,
            edits: BTreeMap::new(),
            insertions: BTreeMap::new(),
            changes: Vec::new(),
            warnings: Vec::new(),
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

    /// The items of a list under `key`; none when the key is missing or empty.
    pub fn list<'n>(&self, node: &'n Node, key: &str, field: &str) -> Result<&'n [Node], ScaleError> {
        match node.get(key) {
            None => Ok(&[]),
            Some(value) if value.is_null() => Ok(&[]),
            Some(Node { kind: Kind::List(items), .. }) => Ok(items),
            Some(other) => Err(self.error(other, &join(field, key), "expected a list")),
        }
    }

    /// Divides the duration under `key`, if there is one, and gives the result.
    pub fn divide(
        &mut self,
        node: &Node,
        key: &str,
        field: &str,
        factor: Factor,
    ) -> Result<Option<Duration>, ScaleError> {
        let Some(value) = node.get(key) else { return Ok(None) };
        let field = join(field, key);
        let text =
            value.scalar().ok_or_else(|| self.error(value, &field, "expected a duration such as 15s"))?;
        let from = duration::parse(text).map_err(|reason| self.error(value, &field, reason))?;
        let divided = factor.divide(from, factor::FLOOR);
        if divided.to != from {
            let to = duration::format(divided.to);
            self.replace(value, &field, &[(0..text.len(), to.clone())])?;
            self.note_change(&field, text, &to, floor_note(divided.instead_of));
        }
        Ok(Some(divided.to))
    }

    /// As [`Self::divide`]; a value that is missing is written out when `default`, which would hold otherwise, is
    /// not what its division gives.
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

    /// Writes a section out that is missing, with those of its durations whose defaults are not what their division gives.
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

    /// What has to be written where `default` holds, if it is not what its division gives.
    fn note_default(&mut self, field: &str, factor: Factor, default: Duration) -> Option<String> {
        let divided = factor.divide(default, factor::FLOOR);
        let to = (divided.to != default).then(|| duration::format(divided.to))?;
        let from = format!("{} (default)", duration::format(default));
        self.note_change(field, &from, &to, floor_note(divided.instead_of));
        Some(to)
    }

    /// Replaces parts of a scalar's value. Parts are letters, digits and such, which every way of quoting leaves
    /// alone; so the n-th time a part's text occurs in the value is the n-th time it occurs in the file.
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
                self.error(node, field, format!("`{part}` is written with escapes: write it plainly"))
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
        let edit = Edit { range: node.span.clone(), raw, value: value.to_owned() };
        match self.edits.get(&node.span.start) {
            Some(earlier) if earlier.value != edit.value => {
                let reason = "shared by an alias with a field that needs another value: write it out in both";
                Err(self.error(node, field, reason))
            }
            _ => {
                self.edits.insert(node.span.start, edit);
                Ok(())
            }
        }
    }

    /// Writes a string in the place of a scalar, in JSON's form, which is YAML whatever it holds.
    pub fn put(&mut self, node: &Node, field: &str, value: &str) -> Result<(), ScaleError> {
        self.write(node, field, serde_json::Value::from(value).to_string(), value)
    }

    /// Writes what is no string in the place of a scalar: `true`.
    pub fn put_plain(&mut self, node: &Node, field: &str, value: &str) -> Result<(), ScaleError> {
        self.write(node, field, value.to_owned(), value)
    }

    /// Puts `key: raw` in front of the first key of a map.
    pub fn insert(&mut self, map: &Node, key: &str, field: &str, raw: &str) -> Result<(), ScaleError> {
        if map.entries().is_empty() {
            return Err(self.error(map, &join(field, key), format!("is missing: write `{key}: …` out")));
        }
        let insertions = self.insertions.entry(self.first_key(map)).or_default();
        insertions.push((key.to_owned(), raw.to_owned()));
        Ok(())
    }

    fn first_key(&self, map: &Node) -> usize {
        let flow = matches!(map.kind, Kind::Map { flow: true, .. });
        if flow { map.span.start + 1 } else { map.span.start }
    }

    /// Applies the edits and reads the result back: everything must be as intended, and nothing else changed.
    pub fn finish(self) -> Result<Finished, ScaleError> {
        let mut marks: BTreeMap<(usize, u8), (Range<usize>, String)> = BTreeMap::new();
        for (at, edit) in &self.edits {
            marks.insert((*at, 1), (edit.range.clone(), edit.raw.clone()));
        }
        for (at, insertions) in &self.insertions {
            let flow = self.text[..*at].ends_with('{');
            let indent = self.text[..*at].rsplit('\n').next().map_or(0, |line| line.chars().count());
            let mut text = String::new();
            for (key, raw) in insertions {
                text +=
                    &if flow { format!("{key}: {raw}, ") } else { format!("{key}: {raw}\n{:indent$}", "") };
            }
            marks.insert((*at, 0), (*at..*at, text));
        }
        let (mut text, mut done) = (String::with_capacity(self.text.len()), 0);
        for (range, new) in marks.into_values() {
            text.push_str(&self.text[done..range.start]);
            text.push_str(&new);
            done = range.end;
        }
        text.push_str(&self.text[done..]);
        let broken =
            |reason: String| ScaleError::whole(&self.file, format!("cannot be edited in place: {reason}"));
        let new = tree::parse(&text).map_err(|(line, reason)| broken(format!("line {line}: {reason}")))?;
        if let Err(line) = self.same(&self.root, &new) {
            return Err(broken(format!("line {line} would not read as intended")));
        }
        let Self { file, changes, warnings, companions, .. } = self;
        Ok(Finished { file, text, changes, warnings, companions })
    }

    /// Whether `new` is `old` with the edits, or the old line where it is not.
    fn same(&self, old: &Node, new: &Node) -> Result<(), usize> {
        match (&old.kind, &new.kind) {
            (Kind::Scalar { value: before, .. }, Kind::Scalar { value: after, .. }) => {
                let expected = self.edits.get(&old.span.start).map_or(before, |edit| &edit.value);
                (expected == after).then_some(()).ok_or(old.line)
            }
            (Kind::List(before), Kind::List(after)) if before.len() == after.len() => {
                before.iter().zip(after).try_for_each(|(old, new)| self.same(old, new))
            }
            (Kind::Map { entries: before, .. }, Kind::Map { entries: after, .. }) => {
                let inserted = self.insertions.get(&self.first_key(old)).map_or(&[][..], Vec::as_slice);
                let skip = inserted.len().min(after.len());
                let names = |entries: &[(String, Node)]| -> Vec<String> {
                    entries.iter().map(|(name, _)| name.clone()).collect()
                };
                let keys: Vec<String> = inserted[..skip].iter().map(|(key, _)| key.clone()).collect();
                if names(after) != [keys, names(before)].concat() {
                    return Err(old.line);
                }
                let mut pairs = before.iter().zip(&after[skip..]);
                pairs.try_for_each(|((_, old), (_, new))| self.same(old, new))
            }
            _ => Err(old.line),
        }
    }
}

pub(crate) fn floor_note(instead_of: Option<Duration>) -> Option<String> {
    instead_of.map(|plain| format!("floor; divided it would be {}", duration::format(plain)))
}
