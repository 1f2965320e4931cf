//! `dashboards/.lint`: exceptions from rules with their reasons, in the format of dashboard-linter.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::finding::Finding;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    /// By rule.
    #[serde(default)]
    pub exclusions: BTreeMap<String, Exception>,
}

/// The exceptions from one rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The reason; optional for dashboard-linter, required here.
    pub reason: String,
    /// The places.
    pub entries: Vec<Entry>,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// Title of the dashboard.
    pub dashboard: String,
    /// Title of the panel; all panels of the dashboard if omitted.
    pub panel: Option<String>,
    /// Index of the query; all queries of the panel if omitted.
    pub target_idx: Option<usize>,
}

impl Entry {
    fn covers(&self, finding: &Finding) -> bool {
        self.dashboard == finding.dashboard
            && self.panel.as_ref().is_none_or(|panel| *panel == finding.panel)
            && self.target_idx.is_none_or(|target| Some(target) == finding.target)
    }
}

impl Exceptions {
    /// Parses the text of the file.
    ///
    /// # Errors
    /// When the text is invalid.
    pub fn parse(text: &str) -> Result<Self, serde_saphyr::Error> {
        serde_saphyr::from_str(text)
    }

    /// The findings without an exception.
    #[must_use]
    pub fn unexcused(&self, findings: &[Finding]) -> Vec<Finding> {
        let excused = |finding: &&Finding| {
            self.exclusions
                .get(finding.rule)
                .is_some_and(|it| it.entries.iter().any(|entry| entry.covers(finding)))
        };
        findings.iter().filter(|finding| !excused(finding)).cloned().collect()
    }

    /// The entries that match no finding any more, with their rule.
    #[must_use]
    pub fn idle<'a>(&'a self, findings: &[Finding]) -> Vec<(&'a str, &'a Entry)> {
        self.exclusions
            .iter()
            .flat_map(|(rule, it)| it.entries.iter().map(move |entry| (rule.as_str(), entry)))
            .filter(|(rule, entry)| !findings.iter().any(|it| it.rule == *rule && entry.covers(it)))
            .collect()
    }
}
