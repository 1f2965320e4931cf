//! One change to the monitoring files.

use std::ops::Range;

use regex::Regex;
use serde::de::DeserializeOwned;
use serde_saphyr::Spanned;

use crate::error::Error;

/// Kind of mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The threshold times a thousand.
    Threshold,
    /// A label matcher that matches nothing.
    Matcher,
    /// `for` times twenty, or an hour if there is none.
    Hold,
    /// Another severity.
    Severity,
    /// A route's receiver replaced by another.
    Receiver,
    /// A route's matcher that matches nothing.
    Route,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Threshold, Self::Matcher, Self::Hold, Self::Severity, Self::Receiver, Self::Route];

    /// Its name in the summary.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Threshold => "threshold x 1000",
            Self::Matcher => "matcher misspelt",
            Self::Hold => "for x 20, or 1h",
            Self::Severity => "another severity",
            Self::Receiver => "receiver swapped",
            Self::Route => "route misspelt",
        }
    }
}

/// One change to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Kind of mutation.
    pub kind: Kind,
    /// The mutated rule or route.
    pub of: String,
    /// The old and the new value, such as `> 0.05 -> > 50`.
    pub change: String,
    /// The alert whose drill must notice.
    pub alert: String,
    /// Names of its drills, one of which must notice.
    pub drills: Vec<String>,
    /// The file, relative to the monitoring folder.
    pub file: String,
    /// The changed text of the file.
    pub text: String,
}

/// Parses a file whose values have their positions.
///
/// # Errors
/// Names the file.
pub fn parsed<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Error> {
    serde_saphyr::from_str(text).map_err(|error| Error::Usage(format!("{file}: {}", error.without_snippet())))
}

/// The bytes of a value in its file, including quotes.
#[must_use]
pub fn place(value: &Spanned<String>) -> Range<usize> {
    let span = value.referenced.span();
    let [at, length] = [span.byte_offset(), span.byte_len()]
        .map(|bytes| usize::try_from(bytes.unwrap_or_default()).unwrap_or_default());
    at..at + length
}

pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns are constant and tested")
}
