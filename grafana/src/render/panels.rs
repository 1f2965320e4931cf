//! Panels: their positions, queries and options.

use serde_json::{Map, Value, json};

use super::schema::DATASOURCE;
use crate::dashboard::Dashboard;
use crate::panel::{Kind, Panel};

/// The Grafana version whose options are written.
const PLUGIN_VERSION: &str = "13.2.2";

/// Rows below each other, with consecutive ids.
pub(super) fn all(board: &Dashboard) -> Vec<Value> {
    let mut placed = Vec::new();
    let mut y = 0;
    for row in &board.rows {
        if !row.title.is_empty() {
            placed.push(json!({
                "id": placed.len() + 1,
                "type": "row",
                "title": row.title,
                "collapsed": false,
                "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
                "panels": [],
            }));
            y += 1;
        }
        let mut x = 0;
        for panel in &row.panels {
            let place = json!({"x": x, "y": y, "w": panel.width, "h": row.height});
            placed.push(one(panel, placed.len() + 1, place));
            x += panel.width;
        }
        y += row.height;
    }
    placed
}

fn one(panel: &Panel, id: usize, place: Value) -> Value {
    let mut drawn = json!({
        "id": id,
        "type": plugin(panel.kind),
        "title": panel.title,
        "description": panel.description,
        "gridPos": place,
        "datasource": {"type": "prometheus", "uid": DATASOURCE},
        "pluginVersion": PLUGIN_VERSION,
        "targets": targets(panel),
        "fieldConfig": {"defaults": defaults(panel), "overrides": overrides(panel)},
        "options": options(panel),
    });
    if panel.kind == Kind::Table {
        let hidden: Map<String, Value> =
            panel.hidden.iter().map(|column| ((*column).to_owned(), Value::Bool(true))).collect();
        let column_names = json!({"Value": panel.title});
        drawn["transformations"] = json!([
            {"id": "organize", "options": {"excludeByName": hidden, "renameByName": column_names}},
        ]);
    }
    drawn
}

fn plugin(kind: Kind) -> &'static str {
    match kind {
        Kind::Lines | Kind::Stacked => "timeseries",
        Kind::Stat => "stat",
        Kind::Gauge => "gauge",
        Kind::Bars => "bargauge",
        Kind::Pie => "piechart",
        Kind::States => "state-timeline",
        Kind::Table => "table",
    }
}

/// Whether it shows only the last value, for which an instant query is enough.
fn instant(kind: Kind) -> bool {
    matches!(kind, Kind::Bars | Kind::Pie | Kind::Table | Kind::Gauge)
}

fn targets(panel: &Panel) -> Vec<Value> {
    let instant = instant(panel.kind);
    (b'A'..=b'Z')
        .zip(&panel.queries)
        .map(|(letter, query)| {
            json!({
                "refId": char::from(letter).to_string(),
                "datasource": {"type": "prometheus", "uid": DATASOURCE},
                "editorMode": "code",
                "expr": query.expr,
                "legendFormat": query.legend,
                "format": if panel.kind == Kind::Table { "table" } else { "time_series" },
                "instant": instant,
                "range": !instant,
            })
        })
        .collect()
}

fn defaults(panel: &Panel) -> Value {
    let mut steps = vec![json!({"color": panel.base, "value": null})];
    steps.extend(panel.steps.iter().map(|(value, color)| json!({"color": color, "value": value})));
    let by_series = panel.steps.is_empty() || panel.marked;
    let mut defaults = json!({
        "unit": panel.unit,
        "color": {"mode": if by_series { "palette-classic-by-name" } else { "thresholds" }},
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": mappings(panel),
        "noValue": "no data",
        "custom": custom(panel),
    });
    if let Some(min) = panel.scale.0 {
        defaults["min"] = json!(min);
    }
    if let Some(max) = panel.scale.1 {
        defaults["max"] = json!(max);
    }
    defaults
}

fn mappings(panel: &Panel) -> Vec<Value> {
    if panel.words.is_empty() {
        return Vec::new();
    }
    let options: Map<String, Value> = panel
        .words
        .iter()
        .enumerate()
        .map(|(index, (value, text, color))| {
            ((*value).to_owned(), json!({"text": text, "color": color, "index": index}))
        })
        .collect();
    vec![json!({"type": "value", "options": options})]
}

fn custom(panel: &Panel) -> Value {
    match panel.kind {
        Kind::Lines | Kind::Stacked => {
            let stacked = panel.kind == Kind::Stacked;
            json!({
                "drawStyle": "line",
                "lineWidth": 1,
                "fillOpacity": if stacked { 60 } else { 10 },
                "showPoints": "never",
                "spanNulls": false,
                "stacking": {"mode": if stacked { "normal" } else { "none" }, "group": "A"},
                "thresholdsStyle": {"mode": if panel.marked { "dashed" } else { "off" }},
            })
        }
        Kind::States => json!({"fillOpacity": 80, "lineWidth": 0}),
        Kind::Table => json!({"align": "auto", "cellOptions": {"type": "auto"}, "inspect": false}),
        Kind::Stat | Kind::Gauge | Kind::Bars | Kind::Pie => json!({}),
    }
}

fn overrides(panel: &Panel) -> Vec<Value> {
    panel
        .colors
        .iter()
        .map(|(series, color)| {
            json!({
                "matcher": {"id": "byName", "options": series},
                "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}],
            })
        })
        .collect()
}

fn options(panel: &Panel) -> Value {
    let last = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
    let legend = |calcs: Value, placement: &str| json!({"calcs": calcs, "displayMode": "list", "placement": placement, "showLegend": true});
    match panel.kind {
        Kind::Lines | Kind::Stacked => json!({
            "legend": legend(json!(["lastNotNull", "max"]), "bottom"),
            "tooltip": {"mode": "multi", "sort": "desc"},
        }),
        Kind::Stat => json!({
            "reduceOptions": last,
            "orientation": "auto",
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "textMode": "auto",
            "wideLayout": true,
            "showPercentChange": false,
            "percentChangeColorMode": "standard",
        }),
        Kind::Gauge => json!({
            "reduceOptions": last,
            "orientation": "auto",
            "shape": "gauge",
            "barShape": "flat",
            "barWidthFactor": 0.5,
            "effects": {},
            "segmentCount": 1,
            "segmentSpacing": 0.3,
            "sizing": "auto",
            "minVizHeight": 75,
            "minVizWidth": 75,
            "showThresholdLabels": false,
            "showThresholdMarkers": true,
        }),
        Kind::Bars => json!({
            "reduceOptions": last,
            "orientation": "horizontal",
            "displayMode": "basic",
            "namePlacement": "auto",
            "showUnfilled": true,
            "sizing": "auto",
            "valueMode": "color",
            "minVizHeight": 16,
            "minVizWidth": 8,
            "maxVizHeight": 300,
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": false},
        }),
        Kind::Pie => json!({
            "reduceOptions": last,
            "orientation": "auto",
            "pieType": "pie",
            "sort": "desc",
            "displayLabels": ["percent"],
            "legend": {
                "calcs": [], "displayMode": "table", "placement": "right", "showLegend": true,
                "values": ["value", "percent"],
            },
            "tooltip": {"mode": "single", "sort": "none"},
        }),
        Kind::States => json!({
            "alignValue": "left",
            "mergeValues": true,
            "rowHeight": 0.9,
            "showValue": "never",
            "legend": legend(json!([]), "bottom"),
            "tooltip": {"mode": "single", "sort": "none"},
        }),
        Kind::Table => json!({
            "frameIndex": 0,
            "showHeader": true,
            "cellHeight": "sm",
        }),
    }
}
