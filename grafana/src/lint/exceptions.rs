//! `dashboards/.lint`: where a rule need not hold, and why. The format is dashboard-linter's.

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

/// Where one rule need not hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Why; dashboard-linter leaves it to the writer, here it must be there.
    pub reason: String,
    /// Where; nowhere else.
    pub entries: Vec<Entry>,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// Title of the dashboard.
    pub dashboard: String,
    /// Title of the panel; any of the dashboard when left out.
    pub panel: Option<String>,
    /// Index of the query; any of the panel when left out.
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
    /// Reads the text of the file.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn parse(text: &str) -> Result<Self, serde_saphyr::Error> {
        serde_saphyr::from_str(text)
    }

    /// The findings that nothing excuses.
    #[must_use]
    pub fn unexcused(&self, findings: &[Finding]) -> Vec<Finding> {
        let excused = |finding: &&Finding| {
            self.exclusions
                .get(finding.rule)
                .is_some_and(|it| it.entries.iter().any(|entry| entry.covers(finding)))
        };
        findings.iter().filter(|finding| !excused(finding)).cloned().collect()
    }

    /// The entries that excuse nothing any more, with their rule.
    #[must_use]
    pub fn idle<'a>(&'a self, findings: &[Finding]) -> Vec<(&'a str, &'a Entry)> {
        self.exclusions
            .iter()
            .flat_map(|(rule, it)| it.entries.iter().map(move |entry| (rule.as_str(), entry)))
            .filter(|(rule, entry)| !findings.iter().any(|it| it.rule == *rule && entry.covers(it)))
            .collect()
    }
}
