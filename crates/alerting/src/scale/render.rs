//! The files of a monitoring directory, as they shall be written.

use std::collections::BTreeMap;

use crate::document::editor::Editor;
use crate::document::report::{Change, ScaleError, Warning};
use crate::document::tree;
use crate::scale::address::Replacements;
use crate::scale::factor::Factor;
use crate::scale::{alertmanager, prometheus, rules, undivided};

/// The file that is always there.
pub const PROMETHEUS_FILE: &str = "prometheus.yml";
/// Rendered when it is there.
pub const ALERTMANAGER_FILE: &str = "alertmanager.yml";

/// What to change.
#[derive(Debug, Clone)]
pub struct Options {
    /// What durations are divided by.
    pub factor: Factor,
    /// Addresses to replace by others.
    pub addresses: Replacements,
}

/// Files as they shall be written.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// Text by path, the paths as they came in.
    pub files: BTreeMap<String, String>,
    /// Everything that changed, by file and in reading order.
    pub changes: Vec<Change>,
    /// What a person should know about.
    pub warnings: Vec<Warning>,
    /// Patterns of further files that the rendered ones read, relative to the directory: templates, secrets.
    pub companions: Vec<String>,
}

/// Renders `files` (path relative to the monitoring directory → text): `prometheus.yml`, `alertmanager.yml` where
/// present, and rule files, which every other file is taken for.
///
/// # Errors
/// When a file is not understood or cannot be changed, naming file, line, field and value; when an address to
/// replace stands nowhere, with those that do.
pub fn render(files: &BTreeMap<String, String>, options: &Options) -> Result<Rendered, ScaleError> {
    let mut addresses = options.addresses.start();
    let mut rendered = Rendered::default();
    let Some(text) = files.get(PROMETHEUS_FILE) else {
        return Err(ScaleError::whole(PROMETHEUS_FILE, "is missing: expected Prometheus's configuration"));
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
            rendered.files.insert(path.clone(), text.clone()); // a rule file without a rule yet
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
    addresses.finish().map_err(|error| ScaleError::whole("--address", error.to_string()))?;
    Ok(rendered)
}

/// The rule files that a `prometheus.yml` names, as patterns relative to its directory.
///
/// # Errors
/// When the text is not understood, or a pattern leads outside the directory, where nothing is rendered.
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
