//! One change to the monitoring files.

use std::ops::Range;
use std::path::Path;

use common::source_error::FileError;
use serde::de::DeserializeOwned;
use serde_saphyr::Spanned;

use crate::error::Error;

/// Kind of mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A label matcher that matches nothing, or no longer excludes anything.
    Matcher,
    /// A threshold that nothing reaches.
    Threshold,
    /// A threshold that a healthy value reaches.
    LowThreshold,
    /// An `or` without one of its operands.
    Branch,
    /// The name of a metric in a recording rule.
    Source,
    /// A recording rule that is a thousand times too small.
    Factor,
    /// `for` times twenty, or an hour if there is none.
    Hold,
    /// Another severity.
    Severity,
    /// A route's receiver replaced by another.
    Receiver,
    /// A route's matcher that matches nothing.
    Route,
    /// Other labels in `group_by`.
    Grouping,
    /// A mute time interval made an active one, or the reverse.
    Interval,
    /// An inhibit rule whose source matches nothing.
    Inhibition,
    /// A label in `equal` that no alert has.
    Equal,
    /// A receiver that sends no all-clear.
    Resolved,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 15] = [
        Self::Matcher,
        Self::Threshold,
        Self::LowThreshold,
        Self::Branch,
        Self::Source,
        Self::Factor,
        Self::Hold,
        Self::Severity,
        Self::Receiver,
        Self::Route,
        Self::Grouping,
        Self::Interval,
        Self::Inhibition,
        Self::Equal,
        Self::Resolved,
    ];

    /// Whether it changes a rule of Prometheus, not a part of Alertmanager.
    #[must_use]
    pub fn of_a_rule(self) -> bool {
        self <= Self::Severity
    }

    /// Its name in the summary.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Matcher => "matcher misspelt",
            Self::Threshold => "threshold too high",
            Self::LowThreshold => "threshold too low",
            Self::Branch => "branch removed",
            Self::Source => "source misspelt",
            Self::Factor => "factor 0.001",
            Self::Hold => "for x 20, or 1h",
            Self::Severity => "another severity",
            Self::Receiver => "receiver swapped",
            Self::Route => "route misspelt",
            Self::Grouping => "other group_by",
            Self::Interval => "interval inverted",
            Self::Inhibition => "inhibition removed",
            Self::Equal => "inhibits too much",
            Self::Resolved => "send_resolved off",
        }
    }
}

/// One change to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Kind of mutation.
    pub kind: Kind,
    /// The mutated rule, route, inhibit rule or receiver.
    pub of: String,
    /// The old and the new value, such as `> 0.05 -> > 50`.
    pub change: String,
    /// The alerts that it affects.
    pub alerts: Vec<String>,
    /// Names of the drills, in the order in which they are tried; one must notice.
    pub drills: Vec<String>,
    /// The file, relative to the monitoring folder.
    pub file: String,
    /// The changed text of the file.
    pub text: String,
}

impl Mutant {
    /// How it is named in a list: what is changed, the kind of change and the change.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}: {}, {}", self.of, self.kind.name(), self.change)
    }
}

/// Parses a file whose values have their positions.
///
/// # Errors
/// Names the file, the line and what was expected.
pub fn parsed<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Error> {
    serde_saphyr::from_str(text)
        .map_err(|error| Error::Usage(FileError::yaml(Path::new(file), &error).to_string()))
}

/// `text` with other bytes at `at`.
#[must_use]
pub fn replaced(text: &str, at: &Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..at.start], &text[at.end..])
}

/// The bytes of a value in its file, including quotes.
#[must_use]
pub fn place<T>(value: &Spanned<T>) -> Range<usize> {
    let span = value.referenced.span();
    let [at, length] = [span.byte_offset(), span.byte_len()]
        .map(|bytes| usize::try_from(bytes.unwrap_or_default()).unwrap_or_default());
    at..at + length
}
