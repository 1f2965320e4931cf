//! Pages that list parts of the repository: alerts, runbooks, dashboards, metrics of the load tool, benchmarks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use process::program::repository;
use regex::Regex;
use serde_json::Value;

use super::tables::{codes, rows_under};

fn read(path: &Path) -> String {
    std::fs::read_to_string(repository().join(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files of a folder with this ending, relative to the repository, by name.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join(folder)).unwrap();
    let mut found: Vec<PathBuf> =
        entries.map(|entry| Path::new(folder).join(entry.unwrap().file_name())).collect();
    found.retain(|path| path.extension().is_some_and(|it| it == ending));
    found.sort();
    assert!(!found.is_empty(), "{folder} has no *.{ending}");
    found
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The words of a cell's links.
fn linked(cell: &str) -> Vec<String> {
    cell.split("](").filter_map(|part| part.rsplit_once('[')).map(|(_, words)| words.to_owned()).collect()
}

/// An alert, its severity, its `for`.
type Rule = (String, String, String);

fn rules() -> BTreeSet<Rule> {
    let mut found = BTreeSet::new();
    for file in files("monitoring/alert_rules", "yml") {
        for group in yaml(&file)["groups"].as_array().unwrap() {
            let alerts = group["rules"].as_array().unwrap().iter().filter(|rule| rule["alert"].is_string());
            let rule =
                |rule: &Value| (text(&rule["alert"]), text(&rule["labels"]["severity"]), text(&rule["for"]));
            found.extend(alerts.map(rule));
        }
    }
    found
}

#[test]
fn the_alerts_page_has_every_rule_and_its_drills() {
    let mut listed = BTreeSet::new();
    let mut drilled = BTreeSet::new();
    for row in rows_under(&repository(), "docs/reference/alerts.md", "Alerts") {
        let name = linked(&row[0])[0].clone();
        for drill in linked(&row[4]) {
            let proves = &yaml(&Path::new("monitoring/drills").join(format!("{drill}.yaml")))["proves"];
            assert_eq!(text(&proves["alert"]), name, "{drill}");
            let severity = text(&proves["labels"]["severity"]);
            assert!(severity.is_empty() || severity == row[1], "{drill} proves {severity}, not {}", row[1]);
            drilled.insert(drill);
        }
        listed.insert((name, row[1].clone(), row[2].clone()));
    }
    assert_eq!(listed, rules());
    for file in files("monitoring/drills", "yaml") {
        if yaml(&file)["proves"]["alert"].is_string() {
            let name = file.file_stem().unwrap().to_str().unwrap();
            assert!(drilled.contains(name), "docs/reference/alerts.md lacks the drill {name}");
        }
    }
}

#[test]
fn the_list_of_runbooks_has_every_alert() {
    let listed: BTreeSet<String> =
        linked(&read(Path::new("docs/operations/runbooks.md"))).into_iter().collect();
    let alerts: BTreeSet<String> = rules().into_iter().map(|(alert, ..)| alert).collect();
    assert_eq!(listed, alerts);
    let written = files("docs/runbooks", "md")
        .iter()
        .map(|it| it.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, written);
}

#[test]
fn the_dashboards_page_has_every_dashboard() {
    let rows = rows_under(&repository(), "docs/reference/dashboards.md", "Dashboards");
    let listed: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let boards = dashboards::boards::all();
    assert_eq!(listed, boards.iter().map(|board| board.title).collect::<Vec<_>>());
}

/// Every Rust file below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.to_str().unwrap().contains("test") {
            found.push(path);
        }
    }
}

#[test]
fn the_metrics_page_has_every_metric_of_the_load_tool() {
    let mut files = Vec::new();
    for library in ["load", "inbox", "common"] {
        sources(&repository().join("crates").join(library).join("src"), &mut files);
    }
    let named = Regex::new(r#""((?:loadgen|inbox|drill)_[a-z_]+|process_start_time_seconds)""#).unwrap();
    // Histograms have one name for each latency.
    let window = read(&repository().join("crates/load/src/record/window.rs"));
    let names = window.split_once("NAMES: ").unwrap().1.split_once("];").unwrap().0.to_owned();
    let latency = Regex::new(r#"\("([a-z_]+)", "#).unwrap();
    let histogram = |found: regex::Captures<'_>| format!("loadgen_{}_seconds", &found[1]);
    let mut exported: BTreeSet<String> = latency.captures_iter(&names).map(histogram).collect();
    for file in files {
        exported.extend(named.captures_iter(&read(&file)).map(|found| found[1].to_owned()));
    }
    let rows = ["Load generator", "Inbox", "Proofs"]
        .map(|heading| rows_under(&repository(), "docs/reference/metrics.md", heading));
    let listed: BTreeSet<String> = rows.iter().flatten().flat_map(|row| codes(&row[0])).collect();
    assert_eq!(listed, exported);
}

/// The figures in documents equal the measured data, with machine, date and command.
#[test]
fn benchmarks_match_the_data() {
    let page = read(Path::new("docs/benchmarks.md"));
    for file in files("docs/benchmarks", "json") {
        let data: BTreeMap<String, Value> = serde_json::from_str(&read(&file)).unwrap();
        for field in ["machine", "date", "command"] {
            assert!(data[field].as_str().is_some_and(|it| !it.is_empty()), "{}: {field}", file.display());
        }
        for field in ["date", "command"] {
            assert!(page.contains(data[field].as_str().unwrap()), "docs/benchmarks.md lacks {}", data[field]);
        }
        let line = |cells: &Value| {
            let cells = cells.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap());
            cells.fold("|".to_owned(), |line, cell| {
                if cell.is_empty() { line + " |" } else { line + &format!(" {cell} |") }
            })
        };
        let columns = &data["columns"];
        let mut table =
            format!("{}\n|{}\n", line(columns), " --- |".repeat(columns.as_array().unwrap().len()));
        for row in data["rows"].as_array().unwrap() {
            table += &format!("{}\n", line(row));
        }
        assert!(page.contains(&table), "docs/benchmarks.md differs from {}:\n{table}", file.display());
    }
}
