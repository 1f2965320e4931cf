//! What every dashboard has around its panels: variables, annotations, links.

use serde_json::{Value, json};

use super::schema::{DATASOURCE, PROMETHEUS_UID, SCHEMA_VERSION};
use crate::{dashboard::Dashboard, fill::ALL};

pub(super) fn dashboard(board: &Dashboard, panels: Vec<Value>) -> Value {
    json!({
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["firedrill"],
        "editable": false,
        "graphTooltip": 1,
        "refresh": board.refresh,
        "time": {"from": board.from, "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "weekStart": "",
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "links": [link()],
        "annotations": {"list": annotations()},
        "templating": {"list": variables(board)},
        "panels": panels,
    })
}

/// A menu of all dashboards that keeps the time range and the variables.
fn link() -> Value {
    json!({
        "title": "Firedrill dashboards",
        "type": "dashboards",
        "tags": ["firedrill"],
        "asDropdown": true,
        "icon": "external link",
        "includeVars": true,
        "keepTime": true,
        "targetBlank": false,
        "tooltip": "",
    })
}

fn prometheus() -> Value {
    json!({"type": "prometheus", "uid": DATASOURCE})
}

fn variables(board: &Dashboard) -> Vec<Value> {
    let queried = |name: &str, label: &str, query: String| {
        json!({
            "name": name,
            "label": label,
            "type": "query",
            "datasource": prometheus(),
            "query": {"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
            "refresh": 2,
            "sort": 1,
            "multi": true,
            "includeAll": true,
            "allValue": ALL,
            "current": {"text": "All", "value": "$__all"},
            "options": [],
        })
    };
    let mut all = vec![
        json!({
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "current": {"text": "Prometheus", "value": PROMETHEUS_UID},
            "options": [],
        }),
        queried("job", "Job", format!("label_values({}, job)", board.offered)),
        queried("instance", "Instance", format!("label_values({}, instance)", within_job(board.offered))),
    ];
    if uses_route(board) {
        all.push(queried("route", "Route", format!("label_values({}, route)", within_job(board.offered))));
    }
    all
}

fn uses_route(board: &Dashboard) -> bool {
    let panels = board.rows.iter().flat_map(|row| &row.panels);
    panels.flat_map(|panel| &panel.queries).any(|query| query.expr.contains("$route"))
}

/// The series of a selector within the selected job.
#[must_use]
pub fn within_job(selector: &str) -> String {
    match selector.strip_suffix('}') {
        Some(open) => format!(r#"{open},job=~"$job"}}"#),
        None => format!(r#"{selector}{{job=~"$job"}}"#),
    }
}

fn annotations() -> Vec<Value> {
    vec![
        json!({
            "name": "Annotations & Alerts",
            "builtIn": 1,
            "datasource": {"type": "grafana", "uid": "-- Grafana --"},
            "enable": true,
            "hide": true,
            "iconColor": "rgba(0, 211, 255, 1)",
            "type": "dashboard",
        }),
        json!({
            "name": "Firing alerts",
            "datasource": prometheus(),
            "enable": true,
            "iconColor": "red",
            "target": {
                "refId": "Anno",
                "expr": r#"ALERTS{alertstate="firing",severity!="none"}"#,
                "interval": "10s",
            },
            "titleFormat": "{{alertname}}",
            "textFormat": "{{severity}} {{job}} {{instance}}",
            "tagKeys": "alertname,severity",
            "useValueForTime": false,
        }),
        json!({
            "name": "Proven by a drill",
            "datasource": prometheus(),
            "enable": true,
            "iconColor": "green",
            "target": {
                "refId": "Anno",
                "expr": "drill_last_proven_timestamp_seconds * 1000",
                "interval": "1m",
            },
            "titleFormat": "{{alert}} proven",
            "textFormat": "The drill {{drill}} caused, observed and resolved this alert",
            "tagKeys": "alert,drill",
            "useValueForTime": true,
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::within_job;

    #[test]
    fn narrows_a_selector_to_the_job() {
        assert_eq!(within_job("up"), r#"up{job=~"$job"}"#);
        assert_eq!(within_job(r#"up{job=~"api|redis"}"#), r#"up{job=~"api|redis",job=~"$job"}"#);
    }
}
