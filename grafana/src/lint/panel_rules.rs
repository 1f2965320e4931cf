//! Rules about a panel.

use serde_json::Value;

use super::json::{list, text};
use super::units::UNITS;
use crate::render::schema::DATASOURCE;

/// Rule and message of each finding.
pub(super) fn check(panel: &Value) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let source = text(&panel["datasource"], "uid");
    if source != DATASOURCE {
        faults.push((
            "panel-datasource-rule",
            format!("the data source is `{source}`; expected the variable `datasource`"),
        ));
    }
    for field in ["title", "description"] {
        if text(panel, field).trim().is_empty() {
            faults.push(("panel-title-description-rule", format!("missing {field}")));
        }
    }
    // The linter requires this of some kinds of panel only; here it applies to all.
    let unit = text(&panel["fieldConfig"]["defaults"], "unit");
    if !UNITS.contains(&unit) {
        faults.push(("panel-units-rule", format!("unknown unit `{unit}`")));
    }
    if list(panel, "targets").next().is_none() {
        faults.push(("panel-no-targets-rule", "no queries".to_owned()));
    }
    faults
}
