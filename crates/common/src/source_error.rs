//! Errors in a file of the user, in the format of compilers: `own.yaml:4:5: reason`.

use std::path::{Path, PathBuf};

use serde_saphyr::Location;

use crate::plain_words;

/// An error in a file, with its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {reason}", path.display(), at.map_or(String::new(), |(line, column)| format!(":{line}:{column}")))]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Line and column, from 1.
    pub at: Option<(u64, u64)>,
    /// The reason and what was expected.
    pub reason: String,
}

impl FileError {
    /// An error at a location.
    #[must_use]
    pub fn at(path: &Path, location: Location, reason: String) -> Self {
        Self { path: path.to_owned(), at: Some((location.line(), location.column())), reason }
    }

    /// An error of the whole file.
    #[must_use]
    pub fn file(path: &Path, reason: String) -> Self {
        Self { path: path.to_owned(), at: None, reason }
    }

    /// An error of the YAML parser.
    #[must_use]
    pub fn yaml(path: &Path, error: &serde_saphyr::Error) -> Self {
        let at = error.location().map(|location| (location.line(), location.column()));
        let reason = plain(error, false);
        Self { path: path.to_owned(), at, reason }
    }
}

/// The message of a YAML parser's error in plain words, followed by its position if `with_place`.
#[must_use]
pub fn plain(error: &serde_saphyr::Error, with_place: bool) -> String {
    let error = error.without_snippet();
    let place = error.location().map(|at| (at.line(), at.column()));
    let mut reason = reworded(error).unwrap_or_else(|| error.to_string());
    if let Some((line, column)) = place {
        // The position is printed in front, so the parser's own suffix is removed.
        for suffix in
            [format!(" at line {line}, column {column}"), format!(" (line {line}, column {column})")]
        {
            reason = reason.replace(&suffix, "");
        }
    }
    let reason = plain_words::of_types(&reason);
    match place.filter(|_| with_place) {
        Some((line, column)) => format!("{reason} at line {line}, column {column}"),
        None => reason,
    }
}

/// Rewords parser messages for users.
fn reworded(error: &serde_saphyr::Error) -> Option<String> {
    use serde_saphyr::Error;
    Some(match error {
        Error::Unexpected { expected: "sequence start", .. } => "expected a list, such as [a, b]".to_owned(),
        Error::Unexpected { expected: "mapping start", .. } => {
            "expected fields with their values, such as {name: value}".to_owned()
        }
        Error::Unexpected { expected: "string scalar", .. } => "expected text".to_owned(),
        Error::InvalidScalar { ty, .. } => match *ty {
            "bool" | "boolean" => "expected true or false".to_owned(),
            "f32" | "f64" | "floating point" => "expected a number".to_owned(),
            "u8" => "expected an integer from 0 to 255".to_owned(),
            "u16" => "expected an integer from 0 to 65535".to_owned(),
            unsigned if unsigned.starts_with('u') => "expected an integer of 0 or more".to_owned(),
            signed if signed.starts_with('i') => "expected an integer".to_owned(),
            _ => return None,
        },
        Error::InvalidBooleanStrict { .. } => "expected true or false".to_owned(),
        Error::NonFiniteFloat { value, .. } => format!("`{value}` is not a finite number"),
        Error::NullIntoString { .. } => "empty value: expected text".to_owned(),
        Error::TaggedScalarCannotDeserializeIntoString { .. }
        | Error::CannotBorrowTransformedString { .. } => {
            "expected text, without a tag such as `!!int`".to_owned()
        }
        Error::BinaryNotUtf8 { .. } | Error::InvalidBinaryBase64 { .. } => {
            "`!!binary` is not supported: write the value as text".to_owned()
        }
        Error::InvalidCharNull { .. } | Error::InvalidCharNotSingleScalar { .. } => {
            "expected one character".to_owned()
        }
        Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. }
        | Error::ExpectedStringKeyForExternallyTaggedEnum { .. }
        | Error::ExpectedMappingEndAfterEnumVariantValue { .. }
        | Error::TaggedEnumMismatch { .. } => {
            "expected a name, or one name with its value, such as {name: value}".to_owned()
        }
        Error::UnexpectedValueForUnit { .. }
        | Error::UnexpectedValueForUnitEnumVariant { .. }
        | Error::ExpectedEmptyMappingForUnitStruct { .. } => "expected no value".to_owned(),
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => "nested too deeply or too large".to_owned(),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an alias refers to a value that contains it".to_owned()
        }
        Error::Eof { .. } => "unexpected end of file: the file is empty or truncated".to_owned(),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key
                .as_ref()
                .map_or_else(|| "duplicate key".to_owned(), |key| format!("duplicate key `{key}`"));
            format!("{key}: remove one of them")
        }
        Error::MultipleDocuments { .. } => "second document (`---`): use one file per document".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewords_parser_messages() {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code)] // only parsed for its errors
        struct Example {
            small: Option<u8>,
            list: Option<Vec<String>>,
            map: Option<std::collections::BTreeMap<String, String>>,
            yes: Option<bool>,
            pair: Option<(u8, u8)>,
            kind: Option<Kind>,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(dead_code)] // as above
        enum Kind {
            One,
            Two(String),
        }
        for (text, expected) in [
            ("small: 300", "own.yaml:1:8: expected an integer from 0 to 255"),
            ("list: word", "own.yaml:1:7: expected a list, such as [a, b]"),
            ("map: word", "own.yaml:1:6: expected fields with their values, such as {name: value}"),
            ("yes: maybe", "own.yaml:1:6: expected true or false"),
            ("yes: true\nyes: true", "own.yaml:2:1: duplicate key `yes`: remove one of them"),
            ("map: {a: }", "own.yaml:1:8: empty value: expected text"),
            ("list: [!!int x]", "expected text, without a tag such as `!!int`"),
            ("pair: [1]", "expected a list of 2, not of 1"),
            ("kind: four", "own.yaml:1:7: unknown value `four`: expected one of one, two"),
            ("kind: [one]", "expected a name, or one name with its value"),
            ("yes: true\n---\nyes: true", "second document (`---`)"),
        ] {
            let Err(error) = serde_saphyr::from_str::<Example>(text) else { panic!("{text}") };
            let message = FileError::yaml(Path::new("own.yaml"), &error).to_string();
            assert!(message.contains(expected), "{text}: {message}");
            assert!(
                !["Option", "from_str", "invalid u8", "variant", "enum", "tuple", "deserialize"]
                    .iter()
                    .any(|word| message.contains(word)),
                "{message}"
            );
        }
    }

    #[test]
    fn position_is_in_front_only() {
        let path = Path::new("own.yaml");
        let error = serde_saphyr::from_str::<Vec<u8>>("- 1\n- x\n").unwrap_err();
        let message = FileError::yaml(path, &error).to_string();
        assert!(message.starts_with("own.yaml:2:3: ") && !message.contains("line 2"), "{message}");
        assert_eq!(FileError::file(path, "is empty".to_owned()).to_string(), "own.yaml: is empty");
    }
}
