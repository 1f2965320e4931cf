//! A mistake in a file that a person wrote, as compilers tell of theirs: `own.yaml:4:5: what is wrong`.

use std::path::{Path, PathBuf};

use serde_saphyr::Location;

/// A mistake in a file, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {reason}", path.display(), at.map_or(String::new(), |(line, column)| format!(":{line}:{column}")))]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Line and column, from 1.
    pub at: Option<(u64, u64)>,
    /// What is wrong and what was expected.
    pub reason: String,
}

impl FileError {
    /// A mistake at a place the parser knows.
    #[must_use]
    pub fn at(path: &Path, location: Location, reason: String) -> Self {
        Self { path: path.to_owned(), at: Some((location.line(), location.column())), reason }
    }

    /// A mistake of the file as a whole.
    #[must_use]
    pub fn whole(path: &Path, reason: String) -> Self {
        Self { path: path.to_owned(), at: None, reason }
    }

    /// What the YAML parser says.
    #[must_use]
    pub fn yaml(path: &Path, error: &serde_saphyr::Error) -> Self {
        let error = error.without_snippet();
        let at = error.location().map(|location| (location.line(), location.column()));
        let mut reason = error.to_string();
        if let Some((line, column)) = at {
            // The place stands in front, as compilers write it; the parser's own suffix would say it twice.
            for suffix in
                [format!(" at line {line}, column {column}"), format!(" (line {line}, column {column})")]
            {
                reason = reason.replace(&suffix, "");
            }
        }
        Self { path: path.to_owned(), at, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_stands_in_front_and_nowhere_else() {
        let path = Path::new("own.yaml");
        let error = serde_saphyr::from_str::<Vec<u8>>("- 1\n- x\n").unwrap_err();
        let told = FileError::yaml(path, &error).to_string();
        assert!(told.starts_with("own.yaml:2:3: ") && !told.contains("line 2"), "{told}");
        assert_eq!(FileError::whole(path, "is empty".to_owned()).to_string(), "own.yaml: is empty");
    }
}
