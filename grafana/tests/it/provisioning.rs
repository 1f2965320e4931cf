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
    assert_eq!(uids, [dashboards::render::PROMETHEUS_UID, "firedrill-alertmanager"]);
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

#[test]
fn dashboards_are_read_only_in_their_own_folder() {
    let provider = &read("dashboards/dashboards.yml")["providers"][0];
    assert_eq!(provider["folder"], "Firedrill");
    assert_eq!(provider["allowUiUpdates"], false);
    assert_eq!(provider["disableDeletion"], true);
    assert_eq!(provider["options"]["path"], "/etc/grafana/dashboards");
}
