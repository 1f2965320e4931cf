use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::mutate::drills::Expect;

const FILE: &str = r#"groups:
  - name: api
    rules:
      - record: job:errors:ratio
        expr: >-
          sum by (job) (rate(errors_total{job="api",status=~"5.."}[5m]))
          / sum by (job) (rate(all_total{job="api"}[5m]))

      # More than 3 in="here" are too many.
      - alert: Errors
        expr: job:errors:ratio > 0.05 and job:rate > 0.1
        for: 2m
        labels:
          severity: warning
        annotations:
          summary: More than 5 %

      - alert: Gone
        expr: absent(up{name!=""}) or up{name!=""} == 0
        labels:
          severity: critical
"#;

fn drill(alert: &str) -> Drill {
    Drill {
        name: alert.to_lowercase(),
        path: PathBuf::new(),
        alert: alert.into(),
        labels: BTreeMap::new(),
        promised: Duration::ZERO,
        expect: Expect::default(),
    }
}

fn control(name: &str, silent: &str) -> Drill {
    let expect = Expect { silent: vec![silent.to_owned()], ..Expect::default() };
    Drill { name: name.into(), alert: String::new(), expect, ..drill("") }
}

fn broken(text: &str, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    mutants(&BTreeMap::from([("api.yml".to_owned(), text.to_owned())]), drills)
}

#[test]
fn mutates_each_rule_in_each_applicable_way() {
    let drills = [drill("Errors"), drill("Gone"), control("quiet", "Errors")];
    let found = broken(FILE, &drills).unwrap();
    let changes: Vec<_> =
        found.iter().map(|it| (it.kind, it.of.as_str(), it.change.as_str(), it.drills.join(" "))).collect();
    assert_eq!(
        changes,
        [
            (Kind::Matcher, "job:errors:ratio", "job=\"api\" -> job=\"apix\" (number 1)", "errors quiet"),
            (Kind::Matcher, "job:errors:ratio", "status=~\"5..\" -> status=~\"5..x\"", "errors quiet"),
            (Kind::Matcher, "job:errors:ratio", "job=\"api\" -> job=\"apix\" (number 2)", "errors quiet"),
            (Kind::Source, "job:errors:ratio", "errors_total -> errors_totalx", "errors quiet"),
            (Kind::Source, "job:errors:ratio", "all_total -> all_totalx", "errors quiet"),
            (Kind::Factor, "job:errors:ratio", "x 0.001", "errors quiet"),
            (Kind::Threshold, "Errors", "> 0.05 -> > 50", "errors quiet"),
            (Kind::LowThreshold, "Errors", "> 0.05 -> > 0.00005", "quiet errors"),
            (Kind::Threshold, "Errors", "> 0.1 -> > 100", "errors quiet"),
            (Kind::LowThreshold, "Errors", "> 0.1 -> > 0.0001", "quiet errors"),
            (Kind::Hold, "Errors", "for: 2m -> 40m", "errors quiet"),
            (Kind::Severity, "Errors", "warning -> critical", "errors quiet"),
            (Kind::Matcher, "Gone", "name!=\"\" -> namex!=\"\" (number 1)", "gone"),
            (Kind::Matcher, "Gone", "name!=\"\" -> namex!=\"\" (number 2)", "gone"),
            (Kind::Branch, "Gone", "without `absent(up{name!=\"\"}) or`", "gone"),
            (Kind::Branch, "Gone", "without `or up{name!=\"\"} == 0`", "gone"),
            (Kind::Threshold, "Gone", "== 0 -> == 1", "gone"),
            (Kind::Hold, "Gone", "for: none -> 1h", "gone"),
            (Kind::Severity, "Gone", "critical -> warning", "gone"),
        ]
        .map(|(kind, of, change, drills)| (kind, of, change, drills.to_owned()))
    );
    let folded = "(sum by (job) (rate(errors_total{job=\"api\",status=~\"5..\"}[5m]))
          / sum by (job) (rate(all_total{job=\"api\"}[5m]))) * 0.001";
    let text = |change: &str| -> &str { &found.iter().find(|it| it.change == change).unwrap().text };
    assert!(text("x 0.001").contains(folded), "{}", text("x 0.001"));
    assert_eq!(
        text("job=\"api\" -> job=\"apix\" (number 1)"),
        FILE.replacen("job=\"api\"", "job=\"apix\"", 1)
    );
    assert_eq!(text("> 0.05 -> > 50"), FILE.replace("> 0.05", "> 50"));
    assert_eq!(text("without `or up{name!=\"\"} == 0`"), FILE.replace(" or up{name!=\"\"} == 0", ""));
    assert_eq!(text("for: 2m -> 40m"), FILE.replace("for: 2m", "for: 2400s"));
    assert_eq!(
        text("for: none -> 1h"),
        FILE.replace("        expr: absent", "        for: 1h\n        expr: absent")
    );
}

#[test]
fn tries_the_drills_of_every_alert_that_reads_a_recorded_metric() {
    let text = FILE.replace("expr: absent(up{name!=\"\"})", "expr: job:errors:ratio > 1");
    let found = broken(&text, &[drill("Errors"), drill("Gone")]).unwrap();
    assert_eq!(
        (found[0].drills.join(" "), found[0].alerts.join(" ")),
        ("errors gone".into(), "Errors Gone".into())
    );
}

#[test]
fn tries_the_drill_about_the_changed_part_first() {
    let own = |name: &str| Drill { name: name.into(), ..drill("Gone") };
    let found = broken(FILE, &[drill("Errors"), own("x"), own("gone-absent")]).unwrap();
    let order =
        |change: &str| found.iter().find(|it| it.change.starts_with(change)).unwrap().drills.join(" ");
    assert_eq!(order("without `absent"), "gone-absent x");
    assert_eq!(order("critical -> warning"), "x gone-absent");
}

#[test]
fn excludes_nothing_first_for_negative_controls() {
    let text = FILE.replace("status=~\"5..\"", "route!~\"/x\"");
    let found = broken(&text, &[drill("Errors"), drill("Gone"), control("quiet", "Errors")]).unwrap();
    let changed = found.iter().find(|it| it.change.starts_with("route!~")).unwrap();
    assert_eq!(changed.drills.join(" "), "quiet errors");
}

#[test]
fn rejects_rules_that_cannot_be_mutated_cleanly() {
    let drills = [drill("Errors"), drill("Gone")];
    for (text, message) in [
        (format!("{FILE}      - {{alert: Flow, expr: up}}\n"), "each rule must begin"),
        (FILE.replace("for: 2m", "for: 1m30s"), "`for:` of one unit"),
        (FILE.replace("          severity: critical\n", "          service: api\n"), "`severity:`"),
        (FILE.replace("job:errors:ratio > 0.05", "other > 0.05"), "no alert uses `job:errors:ratio`"),
        (FILE.replace("groups:", "groups: {"), "api.yml:"),
        (FILE.replace("  rules:", "  rules: x\n    other:"), "api.yml:3:12: expected a list, such as [a, b]"),
        (FILE.replace("expr: absent(up", "expr: absent(up("), "`absent(up("),
    ] {
        let error = broken(&text, &drills).unwrap_err().to_string();
        assert!(error.contains(message), "{message}: {error}");
    }
    let error = broken(FILE, &[drill("Errors")]).unwrap_err().to_string();
    assert!(error.contains("the alert Gone has no drill"), "{error}");
}
