//! Failed queries during a drill: an event that was not observed may still have happened.

use std::collections::BTreeMap;

use serde::Serialize;

/// The queries of a drill and how many failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Gaps {
    /// Number of queries since the cause began.
    pub queries: u32,
    /// Number of queries without a usable response.
    pub failed: u32,
    /// The error of the last failed query.
    pub last_error: Option<String>,
    /// Kinds of queries whose latest attempt failed, with the error; only the kinds that matter.
    #[serde(skip)]
    pub blind: BTreeMap<&'static str, String>,
}

impl Gaps {
    /// Records the result of a query of this `kind`.
    pub fn note<T, E: ToString>(&mut self, kind: &'static str, result: Result<T, E>) -> Option<T> {
        self.queries += 1;
        match result {
            Ok(result) => {
                self.blind.remove(kind);
                Some(result)
            }
            Err(error) => {
                self.failed += 1;
                self.last_error = Some(error.to_string());
                self.blind.insert(kind, error.to_string());
                None
            }
        }
    }

    /// Why an event that was not observed may still have happened: the latest query of some kind failed, or more than a
    /// fifth of all queries did. `None` if neither is so.
    #[must_use]
    pub fn too_many(&self) -> Option<String> {
        let (queries, failed) = (self.queries, self.failed);
        if let Some(error) = self.blind.values().next() {
            return Some(format!("{failed} of {queries} queries failed, including the latest: {error}"));
        }
        let error = self.last_error.as_deref().unwrap_or_default();
        (failed * 5 > queries).then(|| format!("{failed} of {queries} queries failed, such as: {error}"))
    }
}
