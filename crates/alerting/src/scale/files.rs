//! Reads a monitoring directory and writes its rendering.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::document::report::ScaleError;
use crate::scale::glob;
use crate::scale::render::{ALERTMANAGER_FILE, PROMETHEUS_FILE, Rendered, rule_files};

/// A directory cannot be read, rendered or written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Reading or writing failed.
    #[error("{}: {reason}", path.display())]
    Io {
        /// Path of the file or directory.
        path: PathBuf,
        /// Description of the failure.
        reason: String,
    },
    /// The content of a file is invalid.
    #[error("{0}")]
    Content(#[from] ScaleError),
}

pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> FilesError + '_ {
    move |error| FilesError::Io { path: path.to_owned(), reason: error.to_string() }
}

/// The source of a rendering.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The monitoring directory.
    pub dir: &'a Path,
    /// The directory that replaces `/` in absolute paths under `rule_files`; `/` itself if not given.
    pub root: Option<&'a Path>,
}

impl<'a> Source<'a> {
    fn base(&self, pattern: &str) -> &'a Path {
        if pattern.starts_with('/') { self.root.unwrap_or(Path::new("/")) } else { self.dir }
    }

    /// The source file of a path of the rendering.
    fn file(&self, name: &str) -> PathBuf {
        let beside = self.dir.join(name);
        if beside.exists() { beside } else { self.base("/").join(name) }
    }
}

/// Reads the files of a monitoring directory that are rendered: `prometheus.yml`, the rule files it names, and
/// `alertmanager.yml` if there is one. Paths are relative to the directory or, if absolute, to the root.
///
/// # Errors
/// A file cannot be read, or `prometheus.yml` names rule files that do not exist.
pub fn read(source: Source<'_>) -> Result<BTreeMap<String, String>, FilesError> {
    let dir = source.dir;
    let text = |name: &str| {
        let path = dir.join(name);
        fs::read_to_string(&path).map_err(io(&path))
    };
    let prometheus = text(PROMETHEUS_FILE)?;
    let patterns = rule_files(&prometheus)?;
    let mut files = BTreeMap::from([(PROMETHEUS_FILE.to_owned(), prometheus)]);
    for pattern in patterns {
        let base = source.base(&pattern);
        let found = rule_texts(base, &pattern);
        if pattern.starts_with('/') && source.root.is_none() && !found.as_ref().is_ok_and(|it| !it.is_empty())
        {
            let reason = found.err().map_or("it matches no file".to_owned(), |error| error.to_string());
            let reason = format!(
                "rule_files: `{pattern}` is outside the directory and cannot be read ({reason}): set --root to the directory to use in place of /"
            );
            return Err(ScaleError::file(PROMETHEUS_FILE, reason).into());
        }
        let found = found?;
        if found.is_empty() {
            let reason = format!("rule_files: `{pattern}` matches no file in {}", base.display());
            return Err(ScaleError::file(PROMETHEUS_FILE, reason).into());
        }
        files.extend(found);
    }
    if dir.join(ALERTMANAGER_FILE).exists() {
        files.insert(ALERTMANAGER_FILE.to_owned(), text(ALERTMANAGER_FILE)?);
    }
    Ok(files)
}

/// The files that match a pattern, with their paths below `base`.
fn rule_texts(base: &Path, pattern: &str) -> Result<Vec<(String, String)>, FilesError> {
    let read = |name: String| {
        let path = base.join(&name);
        let text = fs::read_to_string(&path).map_err(io(&path))?;
        Ok((name, text))
    };
    expand(base, pattern)?.into_iter().map(read).collect()
}

/// Writes a rendering of `source` into `to`, with the other files it reads. Each file is written atomically.
///
/// # Errors
/// A file cannot be written; or `to` is the directory that is rendered; or `to` contains a rule file of an earlier rendering
/// that Prometheus would load in addition to the new ones.
pub fn write(rendered: &Rendered, source: Source<'_>, to: &Path) -> Result<(), FilesError> {
    let from = source.dir;
    fs::create_dir_all(to).map_err(io(to))?;
    if fs::canonicalize(from).ok() == fs::canonicalize(to).ok() {
        let reason = "is the directory to render itself: set --out to another directory".to_owned();
        return Err(FilesError::Io { path: to.to_owned(), reason });
    }
    for pattern in rule_files(&rendered.files[PROMETHEUS_FILE])? {
        if let Some(stray) = expand(to, &pattern)?.into_iter().find(|path| !rendered.files.contains_key(path))
        {
            let reason = "was not written by this run, but Prometheus would load it: remove it".to_owned();
            return Err(FilesError::Io { path: to.join(stray), reason });
        }
    }
    for (name, text) in &rendered.files {
        replace(&to.join(name), |path| write_as(&source.file(name), path, text))?;
    }
    copy(&rendered.companions, from, to)
}

/// Copies the other files that patterns name.
fn copy(companions: &[String], from: &Path, to: &Path) -> Result<(), FilesError> {
    let companions: BTreeSet<&String> = companions.iter().collect();
    for pattern in companions {
        // Absolute paths stay valid; files outside the directory are not copied.
        if glob::leads_outside(pattern) {
            continue;
        }
        for name in expand(from, pattern.trim_start_matches("./"))? {
            let source = from.join(&name);
            replace(&to.join(&name), |path| fs::copy(&source, path).map(|_| ()))?;
        }
    }
    Ok(())
}

/// Writes a text with the mode of its source file, so that a secret in it stays as protected.
fn write_as(source: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    private(path, text)?;
    fs::set_permissions(path, fs::metadata(source)?.permissions())
}

/// Writes a text that no other user may read.
pub fn private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// Like [`copy`], and removes files that `from` no longer has.
pub fn mirror(companions: &[String], from: &Path, to: &Path) -> Result<(), FilesError> {
    for pattern in companions.iter().filter(|pattern| !glob::leads_outside(pattern)) {
        let pattern = pattern.trim_start_matches("./");
        let kept = expand(from, pattern)?;
        for gone in expand(to, pattern)?.into_iter().filter(|name| !kept.contains(name)) {
            fs::remove_file(to.join(&gone)).map_err(io(to))?;
        }
    }
    copy(companions, from, to)
}

/// Writes a temporary file in the same directory, then renames it.
pub fn replace(path: &Path, make: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), FilesError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(io(parent))?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    make(&beside).map_err(io(path))?;
    fs::rename(&beside, path).map_err(io(path))
}

/// Files in `dir` that match a pattern, relative and sorted.
fn expand(dir: &Path, pattern: &str) -> Result<Vec<String>, FilesError> {
    glob::files(dir, pattern).map_err(io(dir))
}
