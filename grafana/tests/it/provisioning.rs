//! The provisioning files of Grafana.

use serde_json::Value;

fn read(path: &str) -> Value {
    let text = std::fs::read_to_string(dashboards::folder().join("provisioning").join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn data_sources_have_fixed_uids_and_are_read_only() {
    let sources = read("datasources/datasources.yml");
    let sources = sources["datasources"].as_array().unwrap();
    let uids: Vec<&str> = sources.iter().map(|it| it["uid"].as_str().unwrap()).collect();
    assert_eq!(
        uids,
        [dashboards::render::PROMETHEUS_UID, "firedrill-alertmanager", "firedrill-jaeger", "firedrill-loki"]
    );
    for source in sources {
        assert_eq!(source["editable"], false, "{source}");
        assert_eq!(source["access"], "proxy", "{source}");
    }
    // `$__rate_interval` is at least four of these.
    let prometheus =
        std::fs::read_to_string(dashboards::folder().join("../monitoring/prometheus.yml")).unwrap();
    let prometheus: Value = serde_saphyr::from_str(&prometheus).unwrap();
    assert_eq!(sources[0]["jsonData"]["timeInterval"], prometheus["global"]["scrape_interval"]);
}

/// A line of the log leads to its trace, and a trace to its lines.
#[test]
fn logs_and_traces_lead_to_each_other() {
    let sources = read("datasources/datasources.yml");
    let of = |uid: &str| {
        let all = sources["datasources"].as_array().unwrap().iter();
        all.clone().find(|it| it["uid"] == uid).unwrap_or_else(|| panic!("no {uid}")).clone()
    };
    let field = &of("firedrill-loki")["jsonData"]["derivedFields"][0];
    assert_eq!(field["datasourceUid"], "firedrill-jaeger");
    assert_eq!(field["url"], "$${__value.raw}");
    assert_eq!(of("firedrill-jaeger")["jsonData"]["tracesToLogsV2"]["datasourceUid"], "firedrill-loki");
    // The key is that of the gateway's JSON lines.
    let layer =
        std::fs::read_to_string(dashboards::folder().join("../api/src/middleware/in_flight.rs")).unwrap();
    assert!(
        layer.contains("trace_id") && field["matcherRegex"].as_str().unwrap().starts_with("\"trace_id\":\"")
    );
}

#[test]
fn dashboards_are_read_only_in_their_own_folder() {
    let provider = &read("dashboards/dashboards.yml")["providers"][0];
    assert_eq!(provider["folder"], "Firedrill");
    assert_eq!(provider["allowUiUpdates"], false);
    assert_eq!(provider["disableDeletion"], true);
    assert_eq!(provider["options"]["path"], "/etc/grafana/dashboards");
}
