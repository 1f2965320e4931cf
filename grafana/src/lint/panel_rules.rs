//! Rules about a panel.

use serde_json::Value;

use super::json::{list, text};
use super::units::UNITS;
use crate::render::schema::DATASOURCE;

/// Rule and message of each fault.
pub(super) fn check(panel: &Value) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let asked = text(&panel["datasource"], "uid");
    if asked != DATASOURCE {
        faults.push(("panel-datasource-rule", format!("it asks `{asked}`, not the data source chosen")));
    }
    for field in ["title", "description"] {
        if text(panel, field).trim().is_empty() {
            faults.push(("panel-title-description-rule", format!("it has no {field}")));
        }
    }
    // The linter asks this of some kinds of panel only; here it holds for all.
    let unit = text(&panel["fieldConfig"]["defaults"], "unit");
    if !UNITS.contains(&unit) {
        faults.push(("panel-units-rule", format!("`{unit}` is no unit of Grafana's")));
    }
    if list(panel, "targets").next().is_none() {
        faults.push(("panel-no-targets-rule", "it asks nothing".to_owned()));
    }
    faults
}
