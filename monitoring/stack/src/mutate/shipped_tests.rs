//! Every part of the shipped files is mutated.

use std::collections::{BTreeMap, BTreeSet};

use super::mutant::Kind;
use super::unnoticed::UNNOTICED;
use super::*;
use process::program;

fn shipped() -> Vec<Mutant> {
    let monitoring = program::repository().join("monitoring");
    let drills = drills::load(&monitoring.join("drills")).unwrap();
    all(&monitoring, &drills).unwrap_or_else(|error| panic!("{error}"))
}

/// How many mutants of a kind a rule has.
fn counted(expr: &str, alert: bool) -> BTreeMap<Kind, usize> {
    let count = |text: &str| expr.matches(text).count();
    let matchers: usize =
        expr.split('{').skip(1).map(|it| it.split('}').next().unwrap().matches('"').count() / 2).sum();
    let outside: String = expr
        .split('{')
        .map(|it| it.split_once('}').map_or(it, |(_, rest)| rest))
        .collect::<Vec<_>>()
        .join(" ");
    let or = outside.matches(" or ").count();
    let mut expected =
        BTreeMap::from([(Kind::Matcher, matchers), (Kind::Branch, if or == 0 { 0 } else { or + 1 })]);
    if alert {
        let followed = |sign: &str| {
            let after = |it: &&str| it.trim_start().starts_with(|first: char| first.is_ascii_digit());
            outside.split(sign).skip(1).filter(after).count()
        };
        let (above, below, equal) = (followed(" > "), followed(" < "), followed(" == "));
        expected.extend([
            (Kind::Threshold, above + below + equal),
            (Kind::LowThreshold, above + below),
            (Kind::Hold, 1),
            (Kind::Severity, 1),
        ]);
    } else {
        let sources = count("_total{") + count("_bucket{") + count("_sum{") + count("_count{");
        let recorded = if expr.contains('{') { 0 } else { 2 };
        let host = count("host_allotment_ratio{") + count("node_boot_time_seconds{");
        expected.extend([(Kind::Source, sources + recorded + host), (Kind::Factor, 1)]);
    }
    expected.retain(|_, count| *count > 0);
    expected
}

#[test]
fn mutates_every_part_of_every_shipped_rule() {
    let found = shipped();
    let (mut expected, mut rules) = (BTreeMap::<(String, String), BTreeMap<Kind, usize>>::new(), 0);
    for entry in std::fs::read_dir(program::repository().join("monitoring/alert_rules")).unwrap() {
        let path = entry.unwrap().path();
        let file = format!("alert_rules/{}", path.file_name().unwrap().to_str().unwrap());
        let tree: serde_json::Value = serde_saphyr::from_str(&read(&path).unwrap()).unwrap();
        for rule in tree["groups"].as_array().unwrap().iter().flat_map(|it| it["rules"].as_array().unwrap()) {
            rules += 1;
            let name = rule["alert"].as_str().or(rule["record"].as_str()).unwrap();
            // Rules of a file may share a name, like those of the error budget.
            let sum = expected.entry((file.clone(), name.to_owned())).or_default();
            for (kind, count) in counted(rule["expr"].as_str().unwrap(), rule["alert"].is_string()) {
                *sum.entry(kind).or_default() += count;
            }
        }
    }
    assert!(rules > 40, "{rules}");
    for ((file, name), expected) in expected {
        let mut kinds = BTreeMap::new();
        for mutant in found.iter().filter(|it| it.of == name && it.file == file) {
            *kinds.entry(mutant.kind).or_default() += 1;
        }
        assert_eq!(kinds, expected, "{file}: {name}");
    }
}

#[test]
fn mutates_every_part_of_the_shipped_alertmanager() {
    let found = shipped();
    let count = |kind| found.iter().filter(|it| it.kind == kind).count();
    let counts = [
        Kind::Receiver,
        Kind::Route,
        Kind::Grouping,
        Kind::Interval,
        Kind::Inhibition,
        Kind::Equal,
        Kind::Resolved,
    ]
    .map(count);
    // Three routes, three receivers, the root without a matcher; two labels in `group_by`; no time interval; five inhibit rules
    // with four equal labels; six channels with an all-clear.
    assert_eq!(counts, [6, 2, 4, 0, 5, 4, 6]);
    let texts: BTreeSet<_> = found.iter().map(|it| (&it.file, &it.text)).collect();
    assert_eq!(texts.len(), found.len(), "no two mutants are the same");
    let titles: BTreeSet<_> = found.iter().map(|it| (it.title(), &it.drills)).collect();
    assert_eq!(titles.len(), found.len(), "no two read the same");
}

#[test]
fn every_reason_is_about_a_mutant() {
    let found = shipped();
    for (index, entry) in UNNOTICED.iter().enumerate() {
        assert!(found.iter().any(|mutant| entry.is(mutant)), "entry {index}: {}", entry.reason);
    }
}
