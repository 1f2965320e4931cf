//! `loadgen routes --assertions`: what differs is shown, in text, JSON and JUnit, and the exit code says so.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CONFIG: &str = "
route:
  receiver: mail
  routes:
    - {matchers: [severity=\"critical\"], receiver: pager}
    - {matchers: [team=\"web\"], receiver: mail, mute_time_intervals: [nights]}
receivers: [{name: mail}, {name: pager}]
time_intervals: [{name: nights, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}]
";

const HOLDS: &str =
    "  - {name: pages, alert: {alertname: A, severity: critical}, expect: {notified: [pager]}}\n";
const DIFFERS: &str =
    "  - {name: mails, alert: {alertname: B, severity: critical}, expect: {notified: [mail]}}\n";

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.arg("routes").args(args).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with the configuration and a file of these assertions.
fn folder(assertions: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("am.yml"), CONFIG).unwrap();
    fs::write(folder.path().join("routes.yaml"), format!("assertions:\n{assertions}")).unwrap();
    folder
}

const FILES: [&str; 4] = ["--alertmanager-config", "am.yml", "--assertions", "routes.yaml"];

#[test]
fn assertions_that_hold_exit_0() {
    let folder = folder(HOLDS);
    let output = run(folder.path(), &[&FILES[..], &["--junit", "junit.xml"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "1 of 1 assertions hold for am.yml\n");
    let junit = fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert!(junit.contains("<testcase name=\"pages\" classname=\"A\"/>"), "{junit}");
}

#[test]
fn an_assertion_that_does_not_hold_exits_5_and_is_named() {
    let folder = folder(&format!("{HOLDS}{DIFFERS}"));
    let output = run(folder.path(), &[&FILES[..], &["--junit", "junit.xml"]].concat());
    assert_eq!(output.status.code(), Some(5));
    let expected = "FAILED mails: {alertname=\"B\", severity=\"critical\"}\n  \
                    notified: expected [mail], is [pager]\n1 of 2 assertions hold for am.yml\n";
    assert_eq!(text(&output.stdout), expected);
    let junit = fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert!(junit.contains("tests=\"2\"") && junit.contains("failures=\"1\""), "{junit}");
    assert!(junit.contains("<failure message=\"notified: expected [mail], is [pager]\""), "{junit}");

    let output = run(folder.path(), &[&FILES[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(5));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json[0], serde_json::json!({"name": "pages", "holds": true, "differences": []}));
    assert_eq!(json[1]["holds"], false);
}

#[test]
fn mistakes_are_named_before_anything_is_checked() {
    let night = "  - {name: night, alert: {team: web}, expect: {notified: []}}\n";
    let files = FILES;
    for (assertions, args, code, says) in [
        (night, files.to_vec(), 2, "routes.yaml: assertion `night`: the result depends on the time"),
        (
            HOLDS,
            [&files[..], &["--junit", "none/junit.xml"]].concat(),
            2,
            "none/junit.xml: cannot write the report",
        ),
        (
            HOLDS,
            vec!["--alertmanager-config", "am.yml", "--assertions", "none.yaml"],
            2,
            "none.yaml: cannot read",
        ),
        (
            HOLDS,
            vec!["--alertmanager-config", "none.yml", "--alert", "A"],
            2,
            "none.yml: cannot read the file",
        ),
        (
            HOLDS,
            vec!["--alertmanager-config", "routes.yaml", "--alert", "A"],
            2,
            "routes.yaml: missing field `route`",
        ),
        (HOLDS, vec!["--alertmanager-config", "am.yml", "--alert", "A,b"], 2, "is not a list of labels"),
        (
            HOLDS,
            vec!["--alertmanager-config", "am.yml", "--alert", "A", "--at", "noon"],
            2,
            "expected a time in RFC 3339",
        ),
        (
            HOLDS,
            vec!["--alertmanager", "http://127.0.0.1:9", "--alert", "A"],
            1,
            "Alertmanager at http://127.0.0.1:9",
        ),
    ] {
        let folder = folder(assertions);
        let output = run(folder.path(), &args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(says), "{args:?}: {stderr}");
        assert_eq!(text(&output.stdout), "", "{args:?}");
    }
}
