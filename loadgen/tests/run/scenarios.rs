//! Scenario files and built-in patterns, as a person uses them.

use std::process::Command;

use crate::cli::{loadgen, stderr, stdout};
use crate::server::Server;

#[test]
fn a_file_of_stages_is_played_as_written() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.yaml");
    std::fs::write(
        &file,
        "scenario: own
trips: nothing, it is a test
stages:
  - {duration: 1s, rate: 20/s}
  - {burst: 30}
  - {duration: 1s, rate: 100/s, shape: linear}
requests:
  - {weight: 3, get: /api/users}
  - {weight: 1, get: /api/error, expect: 500}
",
    )
    .unwrap();
    let out = folder.path().join("run.json");
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    let output = loadgen(&[server.url("/").as_str(), "--scenario", file, "--out", out]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    // 20 + 30 + (20 + 100) / 2, a quarter of them errors.
    assert!(stdout(&output).contains("110 scheduled = 110 expected"), "{}", stdout(&output));
    assert!(stderr(&output).contains("trips: nothing, it is a test"), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    crate::schema::validate(&report);
    assert_eq!((&report["pattern"], &report["statuses"]["500"]), (&"own".into(), &27.into()));
    let planned: Vec<f64> = report["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["planned_rate"].as_f64().unwrap())
        .collect();
    assert_eq!(
        planned[..2].iter().map(|rate| rate.round()).collect::<Vec<_>>(),
        [20.0, 90.0],
        "the burst belongs to the second it falls into"
    );
}

#[test]
fn rate_and_duration_scale_a_scenario() {
    let server = Server::gateway();
    let output = loadgen(&[server.url("/").as_str(), "--pattern", "ramp", "-q", "160", "-z", "2s"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("10/s to 160/s for 2s"), "{}", stdout(&output));
    // Twice the rate for 2 s of 210: (42.5·120 + 80·60 + 42.5·30) · 2 · 2/210.
    assert!(stdout(&output).contains("212 scheduled = 212 expected"), "{}", stdout(&output));
}

#[test]
fn a_mistake_in_a_file_has_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.yaml");
    std::fs::write(&file, "scenario: own\nstages: [{duration: 1s, rate: 20/s}]\nrequests:\n  - {gte: /}\n")
        .unwrap();
    let output = loadgen(&["--scenario", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let error = stderr(&output);
    assert!(error.contains("own.yaml:4:") && error.contains("gte"), "{error}");
}

#[test]
fn a_printed_pattern_is_a_file_to_begin_with() {
    let loadgen = env!("CARGO_BIN_EXE_loadgen");
    let printed = Command::new(loadgen).args(["patterns", "error-storm"]).output().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.yaml");
    std::fs::write(&file, &printed.stdout).unwrap();
    let server = Server::gateway();
    let output = crate::cli::loadgen(&[
        server.url("/").as_str(),
        "--scenario",
        file.to_str().unwrap(),
        "-q",
        "200",
        "-z",
        "1s",
    ]);
    assert!(stdout(&output).contains("200: 184 · 500: 16"), "{}", stdout(&output));
    let list = Command::new(loadgen).arg("patterns").output().unwrap();
    assert!(stdout(&list).contains("rate-limit-storm  ████"), "{}", stdout(&list));
}
