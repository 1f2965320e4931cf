//! Why coverage cannot be determined.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// A file or directory that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct CoverageError {
    /// The file or directory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a file or directory.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// Reading failed.
    #[error("cannot read the file: {0}")]
    Read(String),
    /// Writing failed, or the content is invalid.
    #[error("{0}")]
    File(String),
    /// There is no rule file.
    #[error(
        "no rule file found: expected *.{0} files, not in subdirectories; set --rules to the directory or file"
    )]
    NoFile(String),
    /// There is no alert in this many files. It is an error, because complete coverage of nothing would be misleading.
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
