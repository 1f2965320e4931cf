//! The dashboards have the required panels.

use serde_json::{Value, json};

use crate::files::shipped;

fn board(uid: &str) -> Value {
    shipped().into_iter().find(|board| board["uid"] == uid).unwrap_or_else(|| panic!("no dashboard {uid}"))
}

fn titles(board: &Value) -> Vec<&str> {
    dashboards::lint::panels(board).map(|panel| panel["title"].as_str().unwrap()).collect()
}

#[test]
fn the_api_dashboard_has_its_eight_panels() {
    let board = board("firedrill-api");
    assert_eq!(board["title"], "API Monitoring Dashboard");
    let panels: Vec<(&str, &str)> = dashboards::lint::panels(&board)
        .map(|panel| (panel["type"].as_str().unwrap(), panel["title"].as_str().unwrap()))
        .collect();
    assert_eq!(
        panels,
        [
            ("timeseries", "Request rate by method and route"),
            ("gauge", "Active requests"),
            ("timeseries", "Latency percentiles"),
            ("timeseries", "Error rate"),
            ("timeseries", "Requests by status class"),
            ("timeseries", "Errors by type"),
            ("piechart", "Requests by endpoint"),
            ("bargauge", "Mean latency by endpoint"),
        ]
    );
    let steps =
        |index: usize| board["panels"][index]["fieldConfig"]["defaults"]["thresholds"]["steps"].clone();
    assert_eq!(
        steps(1),
        json!([
            {"color": "green", "value": null}, {"color": "yellow", "value": 2.0}, {"color": "red", "value": 5.01},
        ]),
        "5 is still yellow"
    );
    assert_eq!(
        steps(3),
        json!([
            {"color": "green", "value": null}, {"color": "yellow", "value": 0.02}, {"color": "red", "value": 0.05},
        ])
    );
    assert_eq!(board["panels"][4]["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"], "normal");
}

#[test]
fn the_overview_has_its_six_panels_and_reloads_every_five_seconds() {
    let board = board("rx580-api-overview");
    assert_eq!(board["refresh"], "5s");
    assert_eq!(
        titles(&board),
        [
            "Request rate",
            "Error rate",
            "P95 latency",
            "Models loaded",
            "Request rate by status class",
            "Response latency percentiles",
        ]
    );
}

#[test]
fn the_endpoint_dashboard_offers_the_routes_and_no_other_does() {
    for board in shipped() {
        let names: Vec<&str> = board["templating"]["list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|variable| variable["name"].as_str().unwrap())
            .collect();
        let own: &[&str] = if board["uid"] == "firedrill-endpoint" { &["route"] } else { &[] };
        assert_eq!(names, [&["datasource", "job", "instance"], own].concat(), "{}", board["title"]);
    }
    let titles_of = |uid| titles(&board(uid)).into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        titles_of("firedrill-endpoint"),
        [
            "Rate",
            "Errors",
            "Percentiles",
            "Saturation",
            "Refused by a limit",
            "Requests by hour",
            "Requests by country"
        ]
    );
    assert_eq!(
        titles_of("firedrill-business"),
        [
            "New users",
            "Active users",
            "CPU usage",
            "Orders in progress",
            "Registrations",
            "Orders by status",
            "Revenue"
        ]
    );
}

#[test]
fn there_are_ten_and_each_leads_to_the_others() {
    let boards = shipped();
    assert_eq!(boards.len(), 10);
    for board in &boards {
        assert_eq!(board["links"][0]["type"], "dashboards", "{}", board["title"]);
        assert_eq!(board["links"][0]["tags"], board["tags"], "{}", board["title"]);
        let annotations: Vec<&str> = board["annotations"]["list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|annotation| annotation["name"].as_str().unwrap())
            .collect();
        assert_eq!(annotations, ["Annotations & Alerts", "Firing alerts", "Proven by a drill"]);
        assert!(!board["description"].as_str().unwrap().is_empty());
    }
}

#[test]
fn every_annotation_is_promql() {
    for board in shipped() {
        for annotation in board["annotations"]["list"].as_array().unwrap() {
            let Some(query) = annotation["target"]["expr"].as_str() else { continue };
            promql_parser::parser::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        }
    }
}
