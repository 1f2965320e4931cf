use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::mutate::drills::Expect;

const FILE: &str = "route:
  receiver: quiet
  group_by: [alertname, job]

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
        expect: Expect::default(),
    }
}

fn grouped(drill: Drill) -> Drill {
    Drill { expect: Expect { grouped_by: vec!["alertname".to_owned()], ..Expect::default() }, ..drill }
}

fn mutants(file: &str, text: &str, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    Routes::read(file, text)?.mutants(drills)
}

#[test]
fn mutates_every_route_for_its_quickest_drill() {
    let drills = [
        drill("Slow", "critical", 30),
        drill("Quick", "critical", 5),
        grouped(drill("Meek", "warning", 9)),
        drill("Watchdog", "none", 0),
        drill("", "warning", 1),
    ];
    let found = mutants("am.yml", FILE, &drills).unwrap();
    let changes: Vec<_> =
        found.iter().map(|it| (it.kind, it.of.as_str(), it.change.as_str(), it.drills[0].as_str())).collect();
    assert_eq!(
        changes,
        [
            (Kind::Receiver, "the root route", "receiver: quiet -> loud", "meek"),
            (Kind::Receiver, "the root route", "receiver: quiet -> beat", "meek"),
            (Kind::Grouping, "the root route", "alertname, job -> alertnamex", "meek"),
            (Kind::Grouping, "the root route", "alertname, job -> jobx", "meek"),
            (Kind::Grouping, "the root route", "alertname, job -> none", "meek"),
            (Kind::Grouping, "the root route", "alertname, job -> ...", "meek"),
            (Kind::Receiver, "route loud", "receiver: loud -> quiet", "quick"),
            (Kind::Receiver, "route loud", "receiver: loud -> beat", "quick"),
            (Kind::Route, "route loud", "severity=\"critical\" -> severity=\"criticalx\"", "quick"),
            (Kind::Receiver, "route beat", "receiver: beat -> quiet", "watchdog"),
            (Kind::Receiver, "route beat", "receiver: beat -> loud", "watchdog"),
            (Kind::Route, "route beat", "alertname=\"Watchdog\" -> alertname=\"Watchdogx\"", "watchdog"),
        ]
    );
    assert_eq!(found[0].text, FILE.replacen("receiver: quiet", "receiver: loud", 1));
    let texts: Vec<_> = found[2..6].iter().map(|it| it.text.clone()).collect();
    let labels = ["[alertnamex, job]", "[alertname, jobx]", "[]", "['...']"];
    assert_eq!(texts, labels.map(|labels| FILE.replace("[alertname, job]", labels)));
    assert_eq!(found[8].text, FILE.replacen("severity=\"critical\"", "severity=\"criticalx\"", 1));
}

#[test]
fn inverts_every_time_interval() {
    let text = FILE.replace(
        "      group_wait: 10s\n",
        "      mute_time_intervals: [nights, weekends]\n      active_time_intervals:\n        - office\n",
    );
    let drills =
        [drill("Loud", "critical", 1), grouped(drill("Meek", "warning", 9)), drill("Watchdog", "none", 0)];
    let found = mutants("am.yml", &text, &drills).unwrap();
    let found: Vec<_> = found.iter().filter(|it| it.kind == Kind::Interval).collect();
    let changes: Vec<_> = found.iter().map(|it| (it.change.as_str(), it.drills[0].as_str())).collect();
    let (mute, active) = ("mute_time_intervals", "active_time_intervals");
    let expected = [(format!("{mute} -> {active}"), "loud"), (format!("{active} -> {mute}"), "loud")];
    assert_eq!(changes, expected.each_ref().map(|(change, drill)| (change.as_str(), *drill)));
    assert_eq!(found[0].text, text.replacen(mute, active, 1));
    assert_eq!(found[1].text, text.replacen(active, mute, 1));
}

#[test]
fn rejects_a_route_without_a_drill() {
    let error = mutants("am.yml", FILE, &[grouped(drill("Meek", "warning", 9))]).unwrap_err().to_string();
    assert!(error.contains("the route to `loud` is used by no drill"), "{error}");
    let loud = [drill("Loud", "critical", 1), drill("Meek", "warning", 9), drill("Watchdog", "none", 0)];
    let error = mutants("am.yml", FILE, &loud).unwrap_err().to_string();
    assert!(error.contains("no drill of the route to `quiet` has `expect.grouped_by`"), "{error}");
    for (bad, message) in [
        (FILE.replace("[alertname, job]", "\n    - alertname"), "write `group_by: [a, b]`"),
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
