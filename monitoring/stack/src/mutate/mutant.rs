//! One change to the monitoring files.

use std::ops::Range;

use regex::Regex;
use serde::de::DeserializeOwned;
use serde_saphyr::Spanned;

use crate::error::Error;

/// What is broken. The words are those of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The threshold a thousand times as high.
    Threshold,
    /// A label matcher that matches nothing.
    Matcher,
    /// `for` twenty times as long, or an hour where there is none.
    Hold,
    /// Another severity.
    Severity,
    /// A route's receiver swapped for another.
    Receiver,
    /// A route's matcher that matches nothing.
    Route,
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Threshold, Self::Matcher, Self::Hold, Self::Severity, Self::Receiver, Self::Route];

    /// In a few words.
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
    /// What is broken.
    pub kind: Kind,
    /// The rule or route.
    pub of: String,
    /// What was changed into what, such as `> 0.05 -> > 50`.
    pub change: String,
    /// The alert whose drill has to notice.
    pub alert: String,
    /// Names of its drills: one of them has to.
    pub drills: Vec<String>,
    /// The file, relative to the monitoring folder.
    pub file: String,
    /// The file as it is with the change.
    pub text: String,
}

/// Reads a file whose values know their place.
///
/// # Errors
/// Names the file.
pub fn parsed<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Error> {
    serde_saphyr::from_str(text).map_err(|error| Error::Usage(format!("{file}: {}", error.without_snippet())))
}

/// The bytes of a value in its file, quotes included.
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
