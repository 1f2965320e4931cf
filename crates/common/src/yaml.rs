//! Files of one YAML document.

use serde::de::DeserializeOwned;
use serde_saphyr::Error;

/// Parses a text with one document. Empty documents after it, such as the one that a `---` at the end starts, are ignored.
///
/// # Errors
/// The text is not YAML, is not a `T`, or has a second document.
pub fn document<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let second = match serde_saphyr::from_str(text) {
        Err(error) if matches!(error.without_snippet(), Error::MultipleDocuments { .. }) => error,
        read => return read,
    };
    match serde_saphyr::from_multiple(text) {
        Ok(mut documents) if documents.len() == 1 => Ok(documents.remove(0)),
        _ => Err(second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source_error::plain;

    #[test]
    fn ignores_empty_documents_at_the_end() {
        for end in ["", "---\n", "---", "...\n", "---\n# the end\n", "---\n---\n", "--- ~\n"] {
            assert_eq!(document::<Vec<u8>>(&format!("- 1\n{end}")).unwrap(), [1], "{end}");
        }
    }

    #[test]
    fn rejects_a_second_document() {
        for text in ["- 1\n---\n- 2\n", "- 1\n---\n---\n- 2\n", "- 1\n---\nx: y\n"] {
            let error = plain(&document::<Vec<u8>>(text).unwrap_err(), true);
            assert!(error.starts_with("second document (`---`)"), "{text}: {error}");
        }
        // An error in the first document comes first.
        let error = plain(&document::<Vec<u8>>("- x\n---\n- 2\n").unwrap_err(), true);
        assert!(error.contains("line 1"), "{error}");
    }
}
