//! Applies the edits of a file and checks the result.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::document::editor::Editor;
use crate::document::report::{Change, ScaleError, Warning};
use crate::document::tree::{self, Kind, Node};

/// The result of editing a file.
pub struct Finished {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) changes: Vec<Change>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) companions: Vec<String>,
}

impl Editor {
    /// Applies the edits and parses the result: every edit must have the intended value, and nothing else may differ.
    pub fn finish(self) -> Result<Finished, ScaleError> {
        self.unshared()?;
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
            |reason: String| ScaleError::file(&self.file, format!("cannot be edited in place: {reason}"));
        let new = tree::parse(&text).map_err(|(line, reason)| broken(format!("line {line}: {reason}")))?;
        if let Err(line) = self.same(&self.root, &new) {
            return Err(broken(format!(
                "line {line} would not have the intended value; write it in simpler YAML"
            )));
        }
        let Self { file, changes, warnings, companions, .. } = self;
        Ok(Finished { file, text, changes, warnings, companions })
    }

    /// Checks that `new` is `old` with the edits; otherwise returns the line in the old text.
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
            (Kind::Scalar { .. }, Kind::Map { entries, .. }) => {
                let pairs = entries.iter().map(|(key, value)| Some(format!("{key}: {}", value.scalar()?)));
                let section =
                    pairs.collect::<Option<Vec<_>>>().map(|pairs| format!("{{{}}}", pairs.join(", ")));
                let written = self.edits.get(&old.span.start).map(|edit| edit.value.clone());
                (written.is_some() && written == section).then_some(()).ok_or(old.line)
            }
            _ => Err(old.line),
        }
    }

    /// Rejects an edit of a value that an alias shares with a field that must stay, such as a label.
    fn unshared(&self) -> Result<(), ScaleError> {
        let mut met: BTreeMap<usize, usize> = BTreeMap::new();
        self.root.scalars("", "", &mut |_, field, node| {
            let Some(edit) = self.edits.get(&node.span.start).filter(|edit| edit.range == node.span) else {
                return Ok(());
            };
            let met = met.entry(node.span.start).or_default();
            *met += 1;
            if *met > edit.fields {
                let reason =
                    "shared by an alias with a field that must not change: write the value in both places";
                return Err(self.error(node, field, reason));
            }
            Ok(())
        })
    }
}
