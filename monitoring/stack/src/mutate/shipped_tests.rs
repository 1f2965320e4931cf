//! Every rule and route of the shipped files is mutated.

use std::collections::BTreeSet;

use super::mutant::Kind;
use super::*;
use process::program;

#[test]
fn mutates_every_shipped_rule_and_route() {
    let monitoring = program::repository().join("monitoring");
    let drills = drills::load(&monitoring.join("drills")).unwrap();
    let found = all(&monitoring, &drills).unwrap_or_else(|error| panic!("{error}"));

    let mut rules = 0;
    for entry in std::fs::read_dir(monitoring.join("alert_rules")).unwrap() {
        let path = entry.unwrap().path();
        let file = format!("alert_rules/{}", path.file_name().unwrap().to_str().unwrap());
        let tree: serde_json::Value = serde_saphyr::from_str(&read(&path).unwrap()).unwrap();
        for rule in tree["groups"].as_array().unwrap().iter().flat_map(|it| it["rules"].as_array().unwrap()) {
            rules += 1;
            let (name, expr) =
                (rule["alert"].as_str().or(rule["record"].as_str()).unwrap(), rule["expr"].as_str().unwrap());
            // Rules that share a name differ by file or, like those of the error budget, by number.
            let mutants = found.iter().filter(|it| it.of == name && it.file == file);
            let kinds: BTreeSet<Kind> = mutants.map(|it| it.kind).collect();
            let mut expected = BTreeSet::new();
            if expr.contains('{') {
                expected.insert(Kind::Matcher);
            }
            if rule["alert"].is_string() {
                expected.extend([Kind::Hold, Kind::Severity]);
                if [" > 0.", " > 1", " > 2", " > 3", " > 5", " > 6"].iter().any(|it| expr.contains(it)) {
                    expected.insert(Kind::Threshold);
                }
            }
            assert_eq!(kinds, expected, "{name}: {expr}");
        }
    }
    let count = |kind| found.iter().filter(|it| it.kind == kind).count();
    assert!(rules > 40 && count(Kind::Hold) == count(Kind::Severity), "{rules}");
    assert_eq!(
        (count(Kind::Receiver), count(Kind::Route)),
        (6, 2),
        "three routes, three receivers, the root without a matcher"
    );
    let texts: BTreeSet<_> = found.iter().map(|it| (&it.file, &it.text)).collect();
    assert_eq!(texts.len(), found.len(), "no two mutants are the same");
}
