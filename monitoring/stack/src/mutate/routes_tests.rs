use std::path::PathBuf;
use std::time::Duration;

use super::*;

const FILE: &str = "route:
  receiver: quiet
  group_by: [alertname]

  routes:
    - receiver: loud
      matchers: [severity=\"critical\"]
      group_wait: 10s
    - receiver: beat
      matchers: [alertname=\"Watchdog\"]

inhibit_rules:
  - source_matchers: [severity=\"critical\"]

receivers:
  - name: quiet
  - name: loud
  - name: beat
";

fn drill(alert: &str, severity: &str, minutes: u64) -> Drill {
    Drill {
        name: alert.to_lowercase(),
        path: PathBuf::new(),
        alert: alert.into(),
        labels: BTreeMap::from([("severity".into(), severity.into())]),
        promised: Duration::from_secs(60 * minutes),
    }
}

#[test]
fn mutates_every_route_for_its_quickest_drill() {
    let drills = [
        drill("Slow", "critical", 30),
        drill("Quick", "critical", 5),
        drill("Meek", "warning", 9),
        drill("Watchdog", "none", 0),
    ];
    let found = mutants("am.yml", FILE, &drills).unwrap();
    let changes: Vec<_> =
        found.iter().map(|it| (it.kind, it.of.as_str(), it.change.as_str(), it.drills[0].as_str())).collect();
    assert_eq!(
        changes,
        [
            (Kind::Receiver, "the root route", "receiver: quiet -> loud", "meek"),
            (Kind::Receiver, "the root route", "receiver: quiet -> beat", "meek"),
            (Kind::Receiver, "route loud", "receiver: loud -> quiet", "quick"),
            (Kind::Receiver, "route loud", "receiver: loud -> beat", "quick"),
            (Kind::Route, "route loud", "severity=\"critical\" -> severity=\"criticalx\"", "quick"),
            (Kind::Receiver, "route beat", "receiver: beat -> quiet", "watchdog"),
            (Kind::Receiver, "route beat", "receiver: beat -> loud", "watchdog"),
            (Kind::Route, "route beat", "alertname=\"Watchdog\" -> alertname=\"Watchdogx\"", "watchdog"),
        ]
    );
    assert_eq!(found[0].text, FILE.replacen("receiver: quiet", "receiver: loud", 1));
    assert_eq!(found[4].text, FILE.replacen("severity=\"critical\"", "severity=\"criticalx\"", 1));
}

#[test]
fn rejects_a_route_without_a_drill() {
    let error = mutants("am.yml", FILE, &[drill("Meek", "warning", 9)]).unwrap_err().to_string();
    assert!(error.contains("the route to `loud` is used by no drill"), "{error}");
    for (bad, message) in [
        (FILE.replace("route:", "rout:"), "missing `route:`"),
        (
            FILE.replace("[severity=\"critical\"]\n      group", "[severity=~\"c.*\"]\n      group"),
            "the route to `loud`",
        ),
    ] {
        let error = mutants("am.yml", &bad, &[]).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
