use std::collections::BTreeMap;

use super::*;
use crate::{Alert, Holdings, cover};
use drill::file::{drill as drill_file, suite};

#[test]
fn names() {
    for (alert, name) in [
        ("HighErrorRate", "high-error-rate"),
        ("APIDown", "api-down"),
        ("ExcessiveHttp500", "excessive-http500"),
        ("KubePodCrashLooping", "kube-pod-crash-looping"),
        ("Disk full, now!", "disk-full-now"),
        ("../../etc/x", "etc-x"),
        ("磁盘满", "alert"),
        (&"A".repeat(300), &"a".repeat(80)),
    ] {
        assert_eq!(file_name(alert), name);
    }
}

fn alert(name: &str, labels: &[(&str, &str)]) -> Alert {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Alert { name: name.into(), labels, origin: "a.yml".into() }
}

/// What there is in a folder of drills, for these alerts.
fn held(dir: &Path, alerts: &[Alert]) -> (Vec<Covered>, Suite) {
    let (suite, errors) = suite::survey(&[dir.to_owned()]);
    assert!(errors.is_empty(), "{errors:?}");
    let holdings = Holdings { suite, ..Holdings::default() };
    (cover(alerts, &holdings), holdings.suite)
}

#[test]
fn what_is_written_lacks_only_its_cause() {
    let dir = tempfile::tempdir().unwrap();
    let alerts = [alert("Burn", &[("severity", "critical")]), alert("Burn", &[("severity", "warning")])];
    let (covered, suite) = held(dir.path(), &alerts);
    let written = write_missing(dir.path(), &covered, &suite).unwrap();
    assert_eq!(written, [dir.path().join("burn-critical.yaml"), dir.path().join("burn-warning.yaml")]);
    let text = fs::read_to_string(&written[0]).unwrap();
    let error = drill_file::parse(&written[0], &text).unwrap_err().to_string();
    assert!(error.contains("the cause is empty"), "{error}");
    let done = text.replace("cause: {}", "cause: {stop: api}");
    fs::write(&written[0], done).unwrap();
    // One is filled in and counts, the other is reported as unfilled.
    let (covered, suite) = held(dir.path(), &alerts);
    let seen: Vec<_> = covered.iter().map(|it| (it.drills.join(" "), it.unfilled.join(" "))).collect();
    assert_eq!(seen, [("burn-critical".into(), String::new()), (String::new(), "burn-warning".into())]);
    assert!(!covered[1].is_complete());
    assert!(write_missing(dir.path(), &covered, &suite).unwrap().is_empty(), "it is there already");
}

#[test]
fn whatever_an_alert_is_called_its_file_is_its_own_and_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let long = "A".repeat(300);
    let names = [
        "Disk full, now!",
        "磁盘满",
        "内存满",
        "APIDown",
        "ApiDown",
        "a: b",
        "true",
        "123",
        "{x}",
        "../../etc/x",
        "---",
        "# no",
        "a \"b\" \\ c",
        "line\nbreak",
        "~",
        "1e3",
        &long,
    ];
    let mut alerts: Vec<Alert> = names.iter().map(|name| alert(name, &[])).collect();
    alerts.push(alert("Late", &[("when", "10:00, \"or\" \u{7}")]));
    alerts.push(alert("Late", &[("when", "{{ $labels.when }}")]));
    let (covered, suite) = held(dir.path(), &alerts);
    let written = write_missing(dir.path(), &covered, &suite).unwrap();
    assert_eq!(written.len(), alerts.len());
    assert!(written.iter().all(|path| path.parent() == Some(dir.path())), "{written:?}");
    let mut found = BTreeMap::new();
    for path in &written {
        let text = fs::read_to_string(path).unwrap().replace("cause: {}", "cause: {stop: api}");
        let drill = drill_file::parse(path, &text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(path.file_stem().unwrap().to_str(), Some(drill.drill.value.as_str()));
        found.insert(drill.drill.value, (drill.proves.alert.value, drill.proves.labels));
    }
    for alert in &alerts {
        assert!(found.values().any(|(name, _)| *name == alert.name), "{}", alert.name);
    }
    assert_eq!(found["late-10-00-or"].1["when"], "10:00, \"or\" \u{7}");
    let (covered, suite) = held(dir.path(), &alerts[..names.len()]);
    assert!(covered.iter().all(|it| it.unfilled.len() == 1), "{covered:?}");
    assert!(write_missing(dir.path(), &covered, &suite).unwrap().is_empty());
}

#[test]
fn rules_that_no_label_tells_apart_get_one_file_once() {
    let dir = tempfile::tempdir().unwrap();
    let alerts = [alert("Late", &[("a", "{{ $value }}")]), alert("Late", &[("b", "{{ $value }}")])];
    for count in [1, 0] {
        let (covered, suite) = held(dir.path(), &alerts);
        assert_eq!(write_missing(dir.path(), &covered, &suite).unwrap().len(), count);
    }
}
