use std::path::PathBuf;
use std::time::Duration;

use super::*;

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
    }
}

fn broken(text: &str, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    mutants(&BTreeMap::from([("api.yml".to_owned(), text.to_owned())]), drills)
}

#[test]
fn mutates_each_rule_in_each_applicable_way() {
    let found = broken(FILE, &[drill("Errors"), drill("Gone")]).unwrap();
    let changes: Vec<_> =
        found.iter().map(|it| (it.kind, it.of.as_str(), it.change.as_str(), it.drills[0].as_str())).collect();
    assert_eq!(
        changes,
        [
            (Kind::Matcher, "job:errors:ratio", "job=\"api\" -> job=\"apix\"", "errors"),
            (Kind::Threshold, "Errors", "0.05 -> 50", "errors"),
            (Kind::Hold, "Errors", "for: 2m -> 40m", "errors"),
            (Kind::Severity, "Errors", "warning -> critical", "errors"),
            (Kind::Matcher, "Gone", "name!=\"\" -> namex!=\"\"", "gone"),
            (Kind::Hold, "Gone", "for: none -> 1h", "gone"),
            (Kind::Severity, "Gone", "critical -> warning", "gone"),
        ]
    );
    assert_eq!(found[0].text, FILE.replacen("job=\"api\"", "job=\"apix\"", 1));
    assert_eq!(found[1].text, FILE.replace("> 0.05", "> 50"));
    assert_eq!(found[2].text, FILE.replace("for: 2m", "for: 2400s"));
    assert_eq!(found[5].text, FILE.replace("        expr: absent", "        for: 1h\n        expr: absent"));
}

#[test]
fn rejects_rules_that_cannot_be_mutated_cleanly() {
    let drills = [drill("Errors"), drill("Gone")];
    for (text, message) in [
        (format!("{FILE}      - {{alert: Flow, expr: up}}\n"), "each rule must begin"),
        (FILE.replace("for: 2m", "for: 1m30s"), "`for:` of one unit"),
        (FILE.replace("          severity: critical\n", "          service: api\n"), "`severity:`"),
        (FILE.replace("job:errors:ratio > 0.05", "other > 0.05"), "no alert uses `job:errors:ratio`"),
        (FILE.replace("groups:", "groups: ["), "api.yml: "),
    ] {
        let error = broken(&text, &drills).unwrap_err().to_string();
        assert!(error.contains(message), "{message}: {error}");
    }
    let error = broken(FILE, &[drill("Errors")]).unwrap_err().to_string();
    assert!(error.contains("the alert Gone has no drill"), "{error}");
}
