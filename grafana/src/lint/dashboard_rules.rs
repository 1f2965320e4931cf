//! Rules about a whole dashboard: its variables, and that nobody edits what is provisioned.

use serde_json::Value;

use super::json::{list, text};
use crate::fill::{ALL, Values};

/// Rule and message of each fault.
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
            let message = format!("variable {name} does not reload when the time range changes");
            faults.push(("template-on-time-change-reload-rule", message));
        }
        if let Some(message) = misquery(text(&variable["query"], "query")) {
            faults.push(("template-label-promql-rule", format!("variable {name}: {message}")));
        }
    }
    if dashboard["editable"] != false {
        faults.push((
            "uneditable-dashboard",
            "it can be edited, and the next start would undo that".to_owned(),
        ));
    }
    faults
}

fn datasource(variables: &[&Value]) -> Option<String> {
    let found: Vec<&&Value> = variables.iter().filter(|it| text(it, "type") == "datasource").collect();
    match found[..] {
        [only] if text(only, "name") != "datasource" => {
            Some("its variable is not called datasource".to_owned())
        }
        [only] if text(only, "label") != "Data source" => Some("its label is not `Data source`".to_owned()),
        [only] if text(only, "query") != "prometheus" => Some("it offers others than Prometheus".to_owned()),
        [_] => None,
        _ => Some(format!("{} variables for the data source, not one", found.len())),
    }
}

fn queried(variables: &[&Value], name: &str, label: &str) -> Vec<String> {
    let Some(variable) = variables.iter().find(|it| text(it, "name") == name) else {
        return vec![format!("there is no variable {name}")];
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
        .map(|(what, is, should)| format!("the {what} of variable {name} is `{is}`, not `{should}`"))
        .collect();
    if variable["multi"] != true || variable["includeAll"] != true {
        faults.push(format!("variable {name} does not take several values and All"));
    }
    faults
}

/// What is wrong with a query that should have the form `label_values(SELECTOR, LABEL)`.
fn misquery(query: &str) -> Option<String> {
    let parts = query
        .strip_prefix("label_values(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|inner| inner.rsplit_once(','));
    let Some((selector, label)) = parts.map(|(selector, label)| (selector.trim(), label.trim())) else {
        return Some(format!("`{query}` is not label_values(selector, label)"));
    };
    if let Err(error) = promql_parser::parser::parse(&Values::all().fill(selector)) {
        return Some(format!("`{selector}`: {error}"));
    }
    let named = !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (!named).then(|| format!("`{label}` is no label"))
}
