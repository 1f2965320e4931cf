//! Why coverage cannot be determined.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// A file or folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct CoverageError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a file or folder.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// Reading failed.
    #[error("cannot be read: {0}")]
    Read(String),
    /// Writing failed, or what it says is not understood.
    #[error("{0}")]
    File(String),
    /// No file at all.
    #[error(
        "no rule file found: expected *.{0} files, not in subdirectories; set --rules to the directory or file"
    )]
    NoFile(String),
    /// No alert in so many files: of nothing, everything is covered.
    #[error("no alert found: expected rules with `alert:` in the groups of the {0} file(s) read")]
    NoAlert(usize),
}

impl Reason {
    pub(crate) fn of(self, path: &Path) -> CoverageError {
        CoverageError { path: path.to_owned(), reason: self }
    }
}

pub(crate) fn unread(path: &Path) -> impl FnOnce(std::io::Error) -> CoverageError + '_ {
    |error| Reason::Read(error.to_string()).of(path)
}

pub(crate) fn bad<E: Display>(path: &Path) -> impl FnOnce(E) -> CoverageError + '_ {
    |error| Reason::File(error.to_string()).of(path)
}
