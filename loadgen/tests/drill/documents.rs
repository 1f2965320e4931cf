//! The reference pages list every key, pattern and exit code of `loadgen`.

#[path = "../../../monitoring/stack/tests/common/tables.rs"]
mod tables;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tables::{codes, rows_under};

const DRILL_FILE: &str = "docs/reference/drill-file.md";
const SCENARIO: &str = "docs/reference/scenario.md";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The keys that `loadgen` accepts in place of `none_such` in this file.
fn expected(arguments: &[&str], text: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file.yaml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    let output = command.args(arguments).arg("file.yaml").current_dir(folder.path()).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, keys) = message.split_once("expected one of ").unwrap_or_else(|| panic!("{text}\n{message}"));
    keys.lines().next().unwrap().split(", ").map(|key| key.trim().trim_matches('`').to_owned()).collect()
}

/// The words in backticks in the first column.
fn listed(document: &str, heading: &str) -> BTreeSet<String> {
    rows_under(repository(), document, heading).iter().flat_map(|row| codes(&row[0])).collect()
}

#[test]
fn the_drill_file_page_has_every_key() {
    let alert = "drill: a\nproves: {alert: A}\n";
    for (heading, text) in [
        ("Top level", "drill: a\nnone_such: 1\n".to_owned()),
        ("`proves`", "drill: a\nproves: {none_such: 1}\n".to_owned()),
        ("`cause`", format!("{alert}cause: {{none_such: 1}}\n")),
        ("`restart`", format!("{alert}cause: {{restart: {{none_such: 1}}}}\n")),
        ("`run`", format!("{alert}cause: {{run: {{none_such: 1}}}}\n")),
        ("`objective`", format!("{alert}objective: {{none_such: 1}}\n")),
        ("`expect`", format!("{alert}expect: {{none_such: 1}}\n")),
        ("Load", format!("{alert}baseline: {{none_such: 1}}\n")),
    ] {
        assert_eq!(listed(DRILL_FILE, heading), expected(&["drill"], &text), "{DRILL_FILE}, {heading}");
    }
    let suite = expected(&["drill"], "suite: a\nnone_such: 1\n");
    assert_eq!(listed(DRILL_FILE, "Suite file"), suite);

    // Only the gateway accepts `ttl`; a drill rejects it with the reason.
    let fault = expected(&["drill"], &format!("{alert}cause: {{fault: {{none_such: 1}}}}\n"));
    assert_eq!(listed("docs/reference/endpoints.md", "Faults"), fault);
    let mut of_a_drill = listed(DRILL_FILE, "`fault`");
    assert!(of_a_drill.insert("ttl".to_owned()), "{DRILL_FILE} has `ttl`");
    assert_eq!(of_a_drill, fault);

    let text = std::fs::read_to_string(repository().join(DRILL_FILE)).unwrap();
    for channel in expected(&["drill"], &format!("{alert}expect: {{delivered: [none_such]}}\n")) {
        assert!(text.contains(&format!("`{channel}`")), "{DRILL_FILE} lacks the channel {channel}");
    }
}

#[test]
fn the_scenario_page_has_every_key_placeholder_and_pattern() {
    let run = ["run", "--scenario"];
    for (heading, text) in [
        ("Top level", "scenario: a\nnone_such: 1\n"),
        ("Stages", "scenario: a\nstages: [{none_such: 1}]\n"),
        ("Requests", "scenario: a\nrequests: [{none_such: 1}]\n"),
    ] {
        assert_eq!(listed(SCENARIO, heading), expected(&run, text), "{SCENARIO}, {heading}");
    }
    let first = |code: &String| code.trim_matches(['{', '}']).split(' ').next().unwrap().to_owned();
    let mut words: BTreeSet<String> = listed(SCENARIO, "Placeholders").iter().map(first).collect();
    assert!(words.remove("user"), "the name of a captured value");
    assert_eq!(words, load::spec::template::WORDS.map(str::to_owned).into());

    let output = Command::new(env!("CARGO_BIN_EXE_loadgen")).arg("patterns").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let names =
        text.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split_whitespace().next());
    assert_eq!(listed(SCENARIO, "Patterns"), names.map(str::to_owned).collect());
}

#[test]
fn the_routes_page_has_every_key() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("alertmanager.yml");
    std::fs::write(&config, "route: {receiver: a}\nreceivers: [{name: a}]\n").unwrap();
    let command = ["routes", "--alertmanager-config", config.to_str().unwrap(), "--assertions"];
    for (heading, fields) in [("Assertion", "none_such: 1"), ("`expect`", "expect: {none_such: 1}")] {
        let text = format!("assertions:\n  - {{{fields}}}\n");
        assert_eq!(listed("docs/reference/routes.md", heading), expected(&command, &text), "{heading}");
    }
}

#[test]
fn the_exit_codes_page_has_every_code() {
    let text = std::fs::read_to_string(repository().join("crates/common/src/exit.rs")).unwrap();
    let constants = text.lines().filter_map(|line| line.strip_prefix("pub const ")?.strip_suffix(';'));
    let known: BTreeSet<&str> = constants.filter_map(|line| Some(line.split_once("u8 = ")?.1)).collect();
    let rows = rows_under(repository(), "docs/reference/exit-codes.md", "Exit codes");
    assert_eq!(rows.iter().map(|row| row[0].as_str()).collect::<BTreeSet<_>>(), known);
}
