//! A mistake in a file that a person wrote, as compilers tell of theirs: `own.yaml:4:5: what is wrong`.

use std::path::{Path, PathBuf};

use serde_saphyr::Location;

use crate::plain_words;

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
        let at = error.location().map(|location| (location.line(), location.column()));
        let reason = plain(error, false);
        Self { path: path.to_owned(), at, reason }
    }
}

/// What the YAML parser says, in plain words; with the place behind it, for a text that is no file of a person's.
#[must_use]
pub fn plain(error: &serde_saphyr::Error, with_place: bool) -> String {
    let error = error.without_snippet();
    let place = error.location().map(|at| (at.line(), at.column()));
    let mut reason = reworded(error).unwrap_or_else(|| error.to_string());
    if let Some((line, column)) = place {
        // Files have the place in front, as compilers write it; the parser's own suffix would say it twice.
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

/// What the parser says to programmers, for people.
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
            "u8" => "expected a whole number from 0 to 255".to_owned(),
            "u16" => "expected a whole number from 0 to 65535".to_owned(),
            unsigned if unsigned.starts_with('u') => "expected a whole number of 0 or more".to_owned(),
            signed if signed.starts_with('i') => "expected a whole number".to_owned(),
            _ => return None,
        },
        Error::InvalidBooleanStrict { .. } => "expected true or false".to_owned(),
        Error::NonFiniteFloat { value, .. } => format!("`{value}` is no number that can be used here"),
        Error::NullIntoString { .. } => "nothing stands here: expected text".to_owned(),
        Error::TaggedScalarCannotDeserializeIntoString { .. }
        | Error::CannotBorrowTransformedString { .. } => {
            "expected text, without a tag such as `!!int`".to_owned()
        }
        Error::BinaryNotUtf8 { .. } | Error::InvalidBinaryBase64 { .. } => {
            "`!!binary` is not read here: write it as text".to_owned()
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
        | Error::ExpectedEmptyMappingForUnitStruct { .. } => "expected nothing here".to_owned(),
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => "nested too deeply or too large".to_owned(),
        Error::RecursiveReferencesRequireWeakTypes { .. } => "an alias inside what it names".to_owned(),
        Error::Eof { .. } => "nothing stands here any more: is the file empty, or cut short?".to_owned(),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_ref().map_or_else(|| "a field".to_owned(), |key| format!("`{key}`"));
            format!("{key} is given twice: leave one of them out")
        }
        Error::MultipleDocuments { .. } => {
            "another document begins here (`---`): give each a file of its own".to_owned()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_speaks_to_people_not_to_programmers() {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code)] // only read for its mistakes
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
        for (text, said) in [
            ("small: 300", "own.yaml:1:8: expected a whole number from 0 to 255"),
            ("list: word", "own.yaml:1:7: expected a list, such as [a, b]"),
            ("map: word", "own.yaml:1:6: expected fields with their values, such as {name: value}"),
            ("yes: maybe", "own.yaml:1:6: expected true or false"),
            ("yes: true\nyes: true", "own.yaml:2:1: `yes` is given twice: leave one of them out"),
            ("map: {a: }", "own.yaml:1:8: nothing stands here: expected text"),
            ("list: [!!int x]", "expected text, without a tag such as `!!int`"),
            ("pair: [1]", "expected a list of 2, not of 1"),
            ("kind: four", "own.yaml:1:7: `four` is not known here: expected one of one, two"),
            ("kind: [one]", "expected a name, or one name with its value"),
            ("yes: true\n---\nyes: true", "another document begins here (`---`)"),
        ] {
            let Err(error) = serde_saphyr::from_str::<Example>(text) else { panic!("{text}") };
            let told = FileError::yaml(Path::new("own.yaml"), &error).to_string();
            assert!(told.contains(said), "{text}: {told}");
            assert!(
                !["Option", "from_str", "invalid u8", "variant", "enum", "tuple", "deserialize"]
                    .iter()
                    .any(|word| told.contains(word)),
                "{told}"
            );
        }
    }

    #[test]
    fn the_place_stands_in_front_and_nowhere_else() {
        let path = Path::new("own.yaml");
        let error = serde_saphyr::from_str::<Vec<u8>>("- 1\n- x\n").unwrap_err();
        let told = FileError::yaml(path, &error).to_string();
        assert!(told.starts_with("own.yaml:2:3: ") && !told.contains("line 2"), "{told}");
        assert_eq!(FileError::whole(path, "is empty".to_owned()).to_string(), "own.yaml: is empty");
    }
}
