//! Any text is read or rejected as a configuration of Prometheus or Alertmanager. Alerts take the same routes in a scaled
//! one, with waits that are not longer.
#![no_main]

#[path = "../scaled.rs"]
mod scaled;

use alerting::routing::tree::{Route, Routing};
use alerting::scale::{ALERTMANAGER_FILE, PROMETHEUS_FILE, rule_files};
use clients::prometheus::{Labels, Outgoing};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const ALERTS: [&[(&str, &str)]; 4] = [
    &[],
    &[("alertname", "Watchdog"), ("severity", "none")],
    &[("alertname", "A"), ("severity", "critical"), ("team", "infra")],
    &[("alertname", "B"), ("severity", "warning"), ("job", "api")],
];

fuzz_target!(|text: &str| {
    scaled::by_20(&[(PROMETHEUS_FILE, text)]);
    let _ = (rule_files(text), Outgoing::parse(text).map(|outgoing| outgoing.of(&Labels::new())));
    let scaled = scaled::by_20(&[(PROMETHEUS_FILE, scaled::PROMETHEUS), (ALERTMANAGER_FILE, text)]);
    let Ok(before) = Routing::parse(text) else { return };
    for alert in ALERTS {
        let labels = labels(alert);
        assert!(before.of(&labels).iter().all(|route| before.possible(&labels).contains(route)));
        for route in before.of(&labels) {
            let _ = (before.kinds(&route.receiver), before.mute_reason(route, Timestamp::UNIX_EPOCH));
        }
    }
    let Some(scaled) = scaled else { return };
    let after = Routing::parse(&scaled[ALERTMANAGER_FILE]).expect("it could be read before");
    assert!(after.longest_interval() <= before.longest_interval());
    for alert in ALERTS {
        let labels = labels(alert);
        let (before, after) = (before.of(&labels), after.of(&labels));
        assert_eq!(before.len(), after.len());
        for (before, after) in before.into_iter().zip(after) {
            assert!(after.group_wait <= before.group_wait && after.repeat_interval <= before.repeat_interval);
            let expected = Route {
                group_wait: after.group_wait,
                group_interval: after.group_interval,
                repeat_interval: after.repeat_interval,
                ..before.clone()
            };
            assert_eq!(*after, expected);
        }
    }
});

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
