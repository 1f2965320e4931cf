//! Reads the TOML files that settings name. Parsing is strict, and errors have the line.

use serde::de::DeserializeOwned;
use std::{fs, ops::Range, path::Path};

/// A file that cannot be used: the setting, the place in the file, what is wrong and how to fix it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("{variable}={path}: cannot read the file ({source}); set it to an existing file or unset it")]
    Unreadable {
        /// The setting.
        variable: &'static str,
        /// The file.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file's content.
    #[error("{variable}={path}: line {line}: {reason}")]
    Content {
        /// The setting.
        variable: &'static str,
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// The field, what is wrong with it and how to fix it.
        reason: String,
    },
}

/// What is wrong, and where in the text.
pub(crate) type Fault = (Range<usize>, String);

/// The text of a file and its source, for messages.
pub(crate) struct TomlFile<'a> {
    pub variable: &'static str,
    pub path: &'a str,
    pub text: &'a str,
}

impl TomlFile<'_> {
    /// The parsed content; `help` is appended to a syntax error.
    pub(crate) fn read<T: DeserializeOwned>(&self, help: &str) -> Result<T, FileError> {
        toml::from_str(self.text).map_err(|error| {
            let reason = format!("{}; {help}", in_words(error.message().trim_end()));
            self.wrong((error.span().unwrap_or(0..0), reason))
        })
    }

    /// The error for a place in the text.
    pub(crate) fn wrong(&self, (span, reason): Fault) -> FileError {
        let line = self.text[..span.start.min(self.text.len())].matches('\n').count() + 1;
        FileError::Content { variable: self.variable, path: self.path.to_owned(), line, reason }
    }
}

/// What is expected, in the words of the file instead of the program's types.
fn in_words(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let expected = match expected {
        "a sequence" => "a list",
        "a map" => "a table with its fields",
        "i64" | "u64" => "an integer",
        "f64" => "a number",
        named if named.starts_with("struct ") => "a table with its fields",
        other => other,
    };
    format!("{found}, expected {expected}")
}

/// Reads the file of a setting and passes its path and text to `parse`.
pub(crate) fn load<T>(
    variable: &'static str,
    path: &Path,
    parse: impl FnOnce(&str, &str) -> Result<T, FileError>,
) -> Result<T, FileError> {
    let name = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => parse(&name, &text),
        Err(source) => Err(FileError::Unreadable { variable, path: name, source }),
    }
}
