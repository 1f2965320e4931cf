//! The files of a run: drills, and suite files that name ambient alerts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::file::drill::{self, Drill};
use common::duration;
use common::source_error::FileError;
use common::yaml;

/// A suite file: `suite: NAME` first, then what applies to every drill in its directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteFile {
    /// Name of the suite.
    pub suite: String,
    /// Alerts that may fire at any time; they are recorded and do not affect the verdict.
    #[serde(default)]
    pub ambient: Vec<Ambient>,
    /// How long a change of a metric takes at most until it is stored, in production timing, where no target reports its
    /// scrape interval: that of the sender, and its delay.
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    pub scrape_interval: Option<Duration>,
}

/// An alert that does not affect a drill's verdict.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ambient {
    /// `alertname`.
    pub alert: Spanned<String>,
    /// The reason why it may fire.
    pub reason: String,
}

/// All files of a run.
#[derive(Debug, Default)]
pub struct Suite {
    /// Drills with their files, in the order given; those of a directory by file name.
    pub drills: Vec<(PathBuf, Drill)>,
    /// Ambient alerts of every suite file read, with the file.
    pub ambient: Vec<(PathBuf, Ambient)>,
    /// The longest `scrape_interval` that a suite file states.
    pub scrape_interval: Option<Duration>,
    /// Drills without a cause, as scaffolding writes them; they cannot be run.
    pub unfilled: Vec<Unfilled>,
}

/// A drill without a cause.
#[derive(Debug)]
pub struct Unfilled {
    /// The file of the drill.
    pub path: PathBuf,
    /// The drill, with an empty cause.
    pub drill: Drill,
    /// The error for a user who wants to run the drill.
    pub error: FileError,
}

impl Suite {
    /// The reason why `alert` is ambient, if it is.
    #[must_use]
    pub fn ambient(&self, alert: &str) -> Option<&str> {
        let mut all = self.ambient.iter().map(|(_, ambient)| ambient);
        all.find(|ambient| ambient.alert.value == alert).map(|ambient| ambient.reason.as_str())
    }
}

/// Reads files and directories (their `*.yaml` and `*.yml`, not recursively). For a single drill file the suite files in
/// its directory are read too.
///
/// # Errors
/// All mistakes in all files.
pub fn load(paths: &[PathBuf]) -> Result<Suite, Vec<FileError>> {
    let (mut suite, mut errors) = survey(paths);
    errors.extend(suite.unfilled.drain(..).map(|unfilled| unfilled.error));
    if errors.is_empty() && suite.drills.is_empty() {
        let path = paths.first().cloned().unwrap_or_default();
        errors.push(FileError::file(
            &path,
            "no drill found: expected *.yaml files that begin with `drill:`".into(),
        ));
    }
    if errors.is_empty() { Ok(suite) } else { Err(errors) }
}

/// Like [`load`], with drills without a cause kept apart and the mistakes of all other files listed.
#[must_use]
pub fn survey(paths: &[PathBuf]) -> (Suite, Vec<FileError>) {
    let mut suite = Suite::default();
    let mut errors = Vec::new();
    let mut suite_files: Vec<PathBuf> = Vec::new();
    for path in paths {
        let (files, neighbours) = match files_of(path) {
            Ok(found) => found,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for file in files {
            match read(&file) {
                Ok(text) if is_suite(&text) => suite_files.push(file),
                Ok(text) => match drill::parse(&file, &text) {
                    Ok(drill) => add(&mut suite, file, drill, &mut errors),
                    Err(error) => match drill::without_cause(&text) {
                        Some(drill) => suite.unfilled.push(Unfilled { path: file, drill, error }),
                        None => errors.push(error),
                    },
                },
                Err(error) => errors.push(error),
            }
        }
        // Mistakes in suite files that were not given on the command line do not stop this run.
        suite_files
            .extend(neighbours.into_iter().filter(|file| read(file).is_ok_and(|text| is_suite(&text))));
    }
    suite_files.sort();
    suite_files.dedup();
    for file in suite_files {
        match read(&file).and_then(|text| {
            yaml::document::<SuiteFile>(&text).map_err(|error| FileError::yaml(&file, &error))
        }) {
            Ok(read) => {
                suite.scrape_interval = suite.scrape_interval.max(read.scrape_interval);
                suite.ambient.extend(read.ambient.into_iter().map(|it| (file.clone(), it)));
            }
            Err(error) => errors.push(error),
        }
    }
    (suite, errors)
}

fn add(suite: &mut Suite, path: PathBuf, drill: Drill, errors: &mut Vec<FileError>) {
    let same_name = suite.drills.iter().find(|(_, other)| other.drill.value == drill.drill.value);
    match same_name {
        // A file given twice (by itself and by its directory) is one drill.
        Some((other, _)) if fs::canonicalize(other).ok() == fs::canonicalize(&path).ok() => {}
        Some((other, _)) => {
            let reason =
                format!("duplicate drill name `{}`: already used in {}", drill.drill.value, other.display());
            errors.push(FileError::at(&path, drill.drill.referenced, reason));
        }
        None => suite.drills.push((path, drill)),
    }
}

fn read(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(|error| FileError::file(path, format!("cannot read the file: {error}")))
}

/// Whether the first key of the document is `suite`.
fn is_suite(text: &str) -> bool {
    text.lines()
        .map(str::trim_end)
        .find(|line| !line.is_empty() && !line.trim_start().starts_with('#') && *line != "---")
        .is_some_and(|line| line.starts_with("suite:"))
}

/// The files to read, and the files in the same directory that may be suite files.
fn files_of(path: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), FileError> {
    let meta = fs::metadata(path).map_err(|error| {
        let reason = if error.kind() == std::io::ErrorKind::NotFound {
            "no such file or directory: expected drill files or a directory of them".to_owned()
        } else {
            format!("cannot read the file: {error}")
        };
        FileError::file(path, reason)
    })?;
    if meta.is_dir() {
        let files = yaml_in(path)
            .map_err(|error| FileError::file(path, format!("cannot list the directory: {error}")))?;
        return Ok((files, Vec::new()));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut neighbours = yaml_in(parent).unwrap_or_default();
    neighbours.retain(|file| file.file_name() != path.file_name());
    Ok((vec![path.to_owned()], neighbours))
}

fn yaml_in(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
            && path.is_file()
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
