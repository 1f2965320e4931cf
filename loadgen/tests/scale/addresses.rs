//! Replacement of target and receiver addresses.

use crate::fixture::{ALERTMANAGER, PROMETHEUS, RULES, changes, files, scaled};

#[test]
fn replaces_addresses_in_targets_and_receivers() {
    let addresses =
        ["api:8000=127.0.0.1:18000", "inbox:8025=127.0.0.1:18025", "alertmanager:9093=127.0.0.1:19093"];
    let rendered = scaled(&files(), 1.0, &addresses).unwrap();
    let expect = |text: &str| {
        text.replace("api:8000", "127.0.0.1:18000")
            .replace("inbox:8025", "127.0.0.1:18025")
            .replace("alertmanager:9093", "127.0.0.1:19093")
    };
    assert_eq!(rendered.files["prometheus.yml"], expect(PROMETHEUS));
    assert_eq!(rendered.files["alertmanager.yml"], expect(ALERTMANAGER));
    assert_eq!(rendered.files["alert_rules/api.yml"], RULES);
    assert_eq!(changes(&rendered).len(), 4);

    // Two addresses can be swapped.
    let swapped = scaled(&files(), 1.0, &["node:9100=redis:9121", "redis:9121=node:9100"]).unwrap();
    assert!(swapped.files["prometheus.yml"].contains("targets: [redis:9121, \"node:9100\"]"));
}

#[test]
fn unknown_address_is_an_error_that_lists_the_known_ones() {
    let error = scaled(&files(), 1.0, &["api:8001=127.0.0.1:1"]).unwrap_err().to_string();
    for part in ["`api:8001`", "api:8000", "inbox:8025", "node:9100", "alertmanager:9093"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
