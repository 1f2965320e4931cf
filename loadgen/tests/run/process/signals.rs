//! Signals: the first stops the run with a partial report, the second skips waiting for responses.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use nix::sys::signal::Signal;

use crate::command::{LENIENT, LOADGEN, ledger_adds_up, signal, stderr, stdout};
use crate::schema;
use crate::server::Server;
use crate::support::wait_for;

/// Starts a run against `server` and waits for its first request.
fn started(server: &Server, more: &[&str]) -> Child {
    let child = Command::new(LOADGEN)
        .args(["run", server.url("/").as_str(), "-q", "100", "-z", "10m"])
        .args(more)
        .args(LENIENT)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the first request", || server.requests() > 0);
    child
}

#[test]
fn interrupted_run_has_a_partial_report() {
    for (name, number, code) in
        [("SIGINT", Signal::SIGINT, 130), ("SIGTERM", Signal::SIGTERM, 143), ("SIGHUP", Signal::SIGHUP, 129)]
    {
        let server = Server::gateway();
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run.json");
        let child = started(&server, &["--out", out.to_str().unwrap()]);
        wait_for("some requests", || server.requests() > 20);
        signal(&child, number);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(stdout(&output).contains(&format!("Interrupted by {name}")), "{}", stdout(&output));
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
        schema::validate(&report);
        ledger_adds_up(&report);
        assert_eq!(report["interrupted_by"], name);
        assert_eq!(report["ledger"]["expected"], server.requests());
    }
}

/// A run without responses, after the first signal and its message.
fn waiting(server: &Server, out: &Path) -> (Child, BufReader<ChildStderr>) {
    let mut child = started(server, &["--out", out.to_str().unwrap()]);
    signal(&child, Signal::SIGINT);
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("a second signal") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it ended without a message");
    }
    (child, errors)
}

#[test]
fn second_signal_skips_waiting_and_counts_unfinished_requests() {
    let server = Server::silent();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let (mut child, mut errors) = waiting(&server, &out);
    signal(&child, Signal::SIGTERM);
    std::io::copy(&mut errors, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "the first signal decides the exit code");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    schema::validate(&report);
    ledger_adds_up(&report);
    assert_eq!(report["interrupted_by"], "SIGINT");
    let ledger = &report["ledger"];
    assert!(ledger["unfinished"].as_u64().unwrap() > 0, "{ledger}");
    assert_eq!(ledger["unfinished"], ledger["scheduled"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file is left");
}

#[test]
fn nohup_ignores_a_closed_terminal() {
    let server = Server::gateway();
    let child = Command::new("nohup")
        .args([LOADGEN, "run", server.url("/").as_str(), "-q", "100", "-n", "150"])
        .args(LENIENT)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("some requests", || server.requests() > 20);
    signal(&child, Signal::SIGHUP);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("150 scheduled = 150 expected"), "{}", stdout(&output));
}
