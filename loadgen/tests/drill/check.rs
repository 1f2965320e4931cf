//! `loadgen check` finds mistakes in every kind of file.

use std::fs;
use std::process::{Command, Output};

fn check(folder: &std::path::Path, files: &[&str]) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    let output = command.arg("check").args(files).current_dir(folder).output().unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    (output, stderr)
}

#[test]
fn shipped_files_are_valid() {
    let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let ours = ["monitoring/drills", "monitoring/routes.yaml", "crates/load/patterns"];
    for (files, least) in [(&ours[..], 50), (&["monitoring/foreign/drills"], 4)] {
        let (output, stderr) = check(repository, files);
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
        let text = String::from_utf8(output.stdout).unwrap();
        let count = text.strip_suffix(" files are valid\n").unwrap_or_else(|| panic!("{text}"));
        assert!(count.parse::<usize>().unwrap() >= least, "{text}");
    }
}

#[test]
fn names_file_line_and_reason_of_every_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let drill = "drill: a\nproves: {alert: A}\ncause: {load: {rate: 5/s, requests: [{get: /}]}}\n";
    for (name, text, says) in [
        ("unknown.yaml", "drills: a\n", "unknown.yaml: unknown kind of file: expected the key drill, suite,"),
        ("empty.yaml", "", "empty.yaml: unknown kind of file"),
        ("key.yaml", &format!("{drill}none_such: 1\n"), "key.yaml:4:1: unknown field `none_such`"),
        ("cause.yaml", "drill: c\nproves: {alert: A}\n", "cause.yaml"),
        ("suite.yaml", "suite: s\nambient: [{alert: A}]\n", "suite.yaml:2:12: missing field `reason`"),
        ("scenario.yaml", "scenario: s\nstages: []\nrequests: [{get: /}]\n", "scenario.yaml"),
        (
            "routes.yaml",
            "assertions: [{name: a, alert: {x: y}, expect: {}}]\n",
            "routes.yaml:1:14: `expect` is empty",
        ),
        ("yaml.yaml", "drill: [\n", "yaml.yaml:"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
        let (output, stderr) = check(folder.path(), &[name]);
        assert_eq!(output.status.code(), Some(2), "{name}: {stderr}");
        assert!(stderr.contains(says), "{name}: {stderr}");
    }
    // Two files of one name, and every mistake of a directory.
    fs::write(folder.path().join("one.yaml"), drill).unwrap();
    fs::write(folder.path().join("two.yaml"), drill).unwrap();
    let (output, stderr) = check(folder.path(), &["one.yaml", "two.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("duplicate drill name `a`"), "{stderr}");
    let (_, stderr) = check(folder.path(), &["."]);
    assert!(stderr.lines().count() >= 9, "{stderr}");
    let (output, stderr) = check(folder.path(), &["none_such.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("none_such.yaml: cannot read the file"), "{stderr}");
}
