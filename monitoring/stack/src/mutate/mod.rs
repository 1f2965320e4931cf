//! Do the drills notice when a rule or a route is broken?
//!
//! In the order data flows: [`rules`] and [`routes`] make broken copies of the monitoring files, one change each,
//! [`drills`] says which drills have to notice, [`trial`] runs such a drill on a stack of its own with the broken files,
//! [`fate`] judges what the drill said, [`summary`] counts. Only [`trial`] does I/O beyond reading files.

pub mod drills;
pub mod fate;
pub mod routes;
pub mod rules;
pub mod summary;
pub mod trial;

use std::collections::BTreeMap;
use std::path::Path;

use crate::Error;
use drills::Drill;

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

/// Every mutant of the monitoring files in `monitoring`.
///
/// # Errors
/// When a file cannot be read or understood, or a rule or route has no drill.
pub fn all(monitoring: &Path, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    let mut files = BTreeMap::new();
    let folder = monitoring.join("alert_rules");
    let entries = std::fs::read_dir(&folder).map_err(Error::io(format!("listing {}", folder.display())))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|it| it.ends_with(".yml"))
        {
            files.insert(format!("alert_rules/{name}"), read(&path)?);
        }
    }
    let mut found = rules::mutants(&files, drills)?;
    found.extend(routes::mutants("alertmanager.yml", &read(&monitoring.join("alertmanager.yml"))?, drills)?);
    Ok(found)
}

/// The text of a file.
///
/// # Errors
/// Names the file.
pub fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(Error::io(format!("reading {}", path.display())))
}

#[cfg(test)]
#[path = "shipped_tests.rs"]
mod tests;
