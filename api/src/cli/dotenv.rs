//! `.env` in the current folder: settings for development. The environment overrides them.

use std::{io, path::Path};

/// A `.env` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DotenvError {
    /// The file exists but cannot be read.
    #[error("{path}: cannot read the file ({source}); make it readable or remove it")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's error.
        source: io::Error,
    },
    /// A malformed line. It is not shown, because it may hold a secret.
    #[error("{path}: line {line}: expected NAME=value; quote values with spaces, start comments with #")]
    Line {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
    },
}

/// Adds the variables of the file to this process's environment, except those already set. A missing file adds none.
/// Must be called before any thread is started.
///
/// # Errors
/// [`DotenvError`] naming the file and line; the environment is unchanged then.
pub fn load(path: &Path) -> Result<(), DotenvError> {
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(DotenvError::Unreadable { path: shown, source }),
    };
    let refuse = |error| match error {
        dotenvy::Error::LineParse(content, _) => {
            DotenvError::Line { path: shown.clone(), line: line_of(&text, &content) }
        }
        other => DotenvError::Unreadable { path: shown.clone(), source: io::Error::other(other) },
    };
    // Parse every line before applying any.
    for line in dotenvy::Iter::new(text.as_bytes()) {
        line.map_err(refuse)?;
    }
    dotenvy::Iter::new(text.as_bytes()).load().map_err(refuse)
}

/// The number of a malformed line. Values may span lines, so it cannot be counted from the parsed ones.
fn line_of(text: &str, content: &str) -> usize {
    let first = content.lines().next().unwrap_or_default();
    text.lines()
        .position(|line| line == first || (!first.is_empty() && line.starts_with(first)))
        .map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_malformed_lines_without_their_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env");
        for (text, line) in [
            ("A_TEST_NAME=1\nTOKEN hush\n", 2),
            ("# c\n\nA_TEST_NAME='two\nlines'\nhush=\"open\n", 5),
            ("hush\n", 1),
        ] {
            std::fs::write(&path, text).unwrap();
            let message = load(&path).unwrap_err().to_string();
            assert!(
                message.contains(&format!(".env: line {line}: ")) && !message.contains("hush"),
                "{message}"
            );
        }
        assert!(std::env::var("A_TEST_NAME").is_err(), "no variable was set");
        load(&dir.path().join("absent")).unwrap();
    }
}
