//! Renders the files of a monitoring directory.

use std::collections::BTreeMap;

use crate::document::editor::Editor;
use crate::document::report::{Change, ScaleError, Warning};
use crate::document::tree;
use crate::scale::address::Replacements;
use crate::scale::factor::Factor;
use crate::scale::{alertmanager, prometheus, rules, undivided};

/// The required file.
pub const PROMETHEUS_FILE: &str = "prometheus.yml";
/// The optional file.
pub const ALERTMANAGER_FILE: &str = "alertmanager.yml";

/// The changes to make.
#[derive(Debug, Clone)]
pub struct Options {
    /// The divisor of durations.
    pub factor: Factor,
    /// Addresses to replace.
    pub addresses: Replacements,
}

/// The rendered files.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// Texts by path; paths are as given.
    pub files: BTreeMap<String, String>,
    /// All changes, by file and in file order.
    pub changes: Vec<Change>,
    /// Warnings for the user.
    pub warnings: Vec<Warning>,
    /// Patterns of other files that the rendered ones read, relative to the directory: templates, secrets.
    pub companions: Vec<String>,
}

/// Renders `files` (path relative to the monitoring directory → text): `prometheus.yml`, `alertmanager.yml` if present, and
/// rule files, which all other files are.
///
/// # Errors
/// A file is invalid or cannot be changed; the error has file, line, field and value. Or an address to replace was not found;
/// the error lists those that were.
pub fn render(files: &BTreeMap<String, String>, options: &Options) -> Result<Rendered, ScaleError> {
    let mut addresses = options.addresses.start();
    let mut rendered = Rendered::default();
    let Some(text) = files.get(PROMETHEUS_FILE) else {
        return Err(ScaleError::file(PROMETHEUS_FILE, "is missing: expected Prometheus's configuration"));
    };
    let mut editor = Editor::new(PROMETHEUS_FILE, text)?;
    let scrapes = prometheus::scale(&mut editor, options.factor, &mut addresses)?;
    undivided::warn(&mut editor, options.factor);
    rendered.add(editor)?;
    for (path, text) in files {
        if path == PROMETHEUS_FILE {
            continue;
        }
        if path != ALERTMANAGER_FILE && tree::is_empty(text) {
            rendered.files.insert(path.clone(), text.clone()); // a rule file without rules
            continue;
        }
        let mut editor = Editor::new(path, text)?;
        if path == ALERTMANAGER_FILE {
            alertmanager::scale(&mut editor, options.factor, &mut addresses)?;
            undivided::warn(&mut editor, options.factor);
        } else {
            rules::scale(&mut editor, options.factor, &scrapes, &mut addresses)?;
        }
        rendered.add(editor)?;
    }
    addresses.finish().map_err(|error| ScaleError::file("--address", error.to_string()))?;
    Ok(rendered)
}

/// The rule files that a `prometheus.yml` names, as patterns relative to its directory.
///
/// # Errors
/// The text is invalid, or a pattern is outside the directory, where files are not rendered.
pub fn rule_files(prometheus_yml: &str) -> Result<Vec<String>, ScaleError> {
    prometheus::rule_files(&Editor::new(PROMETHEUS_FILE, prometheus_yml)?)
}

impl Rendered {
    fn add(&mut self, editor: Editor) -> Result<(), ScaleError> {
        let finished = editor.finish()?;
        self.files.insert(finished.file, finished.text);
        self.changes.extend(finished.changes);
        self.warnings.extend(finished.warnings);
        self.companions.extend(finished.companions);
        Ok(())
    }
}
