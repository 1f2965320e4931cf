//! Rules about a dashboard: its variables, and that a provisioned dashboard is not editable.

use serde_json::Value;

use super::json::{list, text};
use crate::fill::{ALL, Values};

/// Rule and message of each finding.
pub(super) fn check(dashboard: &Value) -> Vec<(&'static str, String)> {
    let variables: Vec<&Value> = list(&dashboard["templating"], "list").collect();
    let mut faults = Vec::new();
    faults.extend(datasource(&variables).map(|message| ("template-datasource-rule", message)));
    for (rule, name, label) in
        [("template-job-rule", "job", "Job"), ("template-instance-rule", "instance", "Instance")]
    {
        faults.extend(queried(&variables, name, label).into_iter().map(|message| (rule, message)));
    }
    for variable in variables.iter().filter(|variable| text(variable, "type") == "query") {
        let name = text(variable, "name");
        if variable["refresh"] != 2 {
            let message = format!("variable {name} must reload when the time range changes");
            faults.push(("template-on-time-change-reload-rule", message));
        }
        if let Some(message) = misquery(text(&variable["query"], "query")) {
            faults.push(("template-label-promql-rule", format!("variable {name}: {message}")));
        }
    }
    if dashboard["editable"] != false {
        faults.push((
            "uneditable-dashboard",
            "must not be editable: the next start would discard the changes".to_owned(),
        ));
    }
    faults
}

fn datasource(variables: &[&Value]) -> Option<String> {
    let found: Vec<&&Value> = variables.iter().filter(|it| text(it, "type") == "datasource").collect();
    match found[..] {
        [only] if text(only, "name") != "datasource" => {
            Some("the data source variable must be named datasource".to_owned())
        }
        [only] if text(only, "label") != "Data source" => {
            Some("the label of the data source variable must be `Data source`".to_owned())
        }
        [only] if text(only, "query") != "prometheus" => {
            Some("the data source variable must offer Prometheus only".to_owned())
        }
        [_] => None,
        _ => Some(format!("{} variables for the data source; expected one", found.len())),
    }
}

fn queried(variables: &[&Value], name: &str, label: &str) -> Vec<String> {
    let Some(variable) = variables.iter().find(|it| text(it, "name") == name) else {
        return vec![format!("missing variable {name}")];
    };
    let expected = [
        ("type", text(variable, "type"), "query"),
        ("label", text(variable, "label"), label),
        ("data source", text(&variable["datasource"], "uid"), "${datasource}"),
        ("value for All", text(variable, "allValue"), ALL),
    ];
    let mut faults: Vec<String> = expected
        .into_iter()
        .filter(|(_, is, should)| is != should)
        .map(|(what, is, should)| format!("the {what} of variable {name} is `{is}`; expected `{should}`"))
        .collect();
    if variable["multi"] != true || variable["includeAll"] != true {
        faults.push(format!("variable {name} must allow several values and All"));
    }
    faults
}

/// The error in a query, which must have the form `label_values(SELECTOR, LABEL)`.
fn misquery(query: &str) -> Option<String> {
    let parts = query
        .strip_prefix("label_values(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|inner| inner.rsplit_once(','));
    let Some((selector, label)) = parts.map(|(selector, label)| (selector.trim(), label.trim())) else {
        return Some(format!("invalid query `{query}`: expected label_values(selector, label)"));
    };
    if let Err(error) = promql_parser::parser::parse(&Values::all().fill(selector)) {
        return Some(format!("`{selector}`: {error}"));
    }
    let named = !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (!named).then(|| format!("invalid label `{label}`"))
}
