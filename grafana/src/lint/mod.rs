//! The rules of [grafana/dashboard-linter](https://github.com/grafana/dashboard-linter/blob/main/docs/index.md),
//! applied to the rendered JSON, which is what Grafana loads.
//!
//! Exceptions are in `dashboards/.lint`, in the format of that linter, each with a reason.

mod dashboard_rules;
pub mod exceptions;
mod finding;
mod json;
mod panel_rules;
mod selectors;
mod target_rules;
mod units;

pub use finding::Finding;
pub use json::panels;
use json::{list, text};
use serde_json::Value;

/// All findings about a dashboard.
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
