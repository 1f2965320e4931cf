//! The rules of [grafana/dashboard-linter](https://github.com/grafana/dashboard-linter/blob/main/docs/index.md), held
//! against the finished JSON, so that they hold for what Grafana is given.
//!
//! Exceptions stand in `dashboards/.lint`, in that linter's own format, each with a reason.

mod dashboard_rules;
pub mod exceptions;
mod panel_rules;
mod selectors;
mod target_rules;
mod units;

use std::fmt;

use serde_json::Value;

/// A rule that does not hold somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name in the linter's documentation.
    pub rule: &'static str,
    /// Title of the dashboard.
    pub dashboard: String,
    /// Title of the panel; empty when it concerns the dashboard.
    pub panel: String,
    /// Index of the panel's query.
    pub target: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.dashboard)?;
        if !self.panel.is_empty() {
            write!(f, " / {}", self.panel)?;
        }
        if let Some(target) = self.target {
            write!(f, " / query {target}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything that is wrong with a dashboard.
#[must_use]
pub fn check(dashboard: &Value) -> Vec<Finding> {
    let title = text(dashboard, "title").to_owned();
    let finding = |rule, panel: &str, target, message| Finding {
        rule,
        dashboard: title.clone(),
        panel: panel.to_owned(),
        target,
        message,
    };
    let mut findings = Vec::new();
    for (rule, message) in dashboard_rules::check(dashboard) {
        findings.push(finding(rule, "", None, message));
    }
    for panel in panels(dashboard) {
        let title = text(panel, "title");
        for (rule, message) in panel_rules::check(panel) {
            findings.push(finding(rule, title, None, message));
        }
        for (index, target) in list(panel, "targets").enumerate() {
            for (rule, message) in target_rules::check(text(target, "expr")) {
                findings.push(finding(rule, title, Some(index), message));
            }
        }
    }
    findings
}

/// Its panels, rows left out.
pub fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    list(dashboard, "panels").filter(|panel| text(panel, "type") != "row")
}

/// The text of a field, empty when there is none.
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The elements of a field, none when it is no list.
fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}
