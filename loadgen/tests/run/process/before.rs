//! Steps before the run: `before` requests and warm-up.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use nix::sys::signal::Signal;

use crate::command::{LENIENT, LOADGEN, loadgen, report_of, signal, stderr, stdout};
use crate::server::{Server, Then};
use crate::support::wait_for;

/// Writes a scenario to a temporary directory.
fn scenario(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.yaml");
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn run_uses_values_captured_before_it() {
    let server = Server::start(|stream, request| {
        let response = if request.head.starts_with("POST /login ") {
            "200 OK\r\nContent-Length: 15\r\n\r\n{\"token\":\"abc\"}"
        } else if request.head.contains("Authorization: Bearer abc\r\n") {
            "200 OK\r\nContent-Length: 0\r\n\r\n"
        } else {
            "401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
        };
        let _ = write!(stream, "HTTP/1.1 {response}");
        Then::KeepOpen
    });
    let (_folder, file) = scenario(
        "scenario: own
before:
  - {post: /login, capture: {token: /token}}
  - {get: /me, headers: {Authorization: 'Bearer {{token}}'}}
stages: [{duration: 1s, rate: 40/s}]
requests: [{get: /, headers: {Authorization: 'Bearer {{token}}'}}]
",
    );
    let (output, report) = report_of(&server.url("/"), &["--scenario", &file, "--threads", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert_eq!((&report["statuses"]["200"], server.requests()), (&40.into(), 42));
}

#[test]
fn captures_from_any_expected_response() {
    let server = Server::start(|stream, request| {
        let response = match request.head.split(' ').nth(1).unwrap() {
            "/start" => "302 Found\r\nLocation: next-7",
            "/next-7" => "200 OK",
            _ => "404 Not Found",
        };
        let _ = write!(stream, "HTTP/1.1 {response}\r\nContent-Length: 0\r\n\r\n");
        Then::KeepOpen
    });
    let (_folder, file) = scenario(
        "scenario: own
stages: [{duration: 1s, rate: 100/s}]
requests:
  - {weight: 1, post: /start, expect: 302, capture: {next: Location}}
  - {weight: 4, get: '/{{next}}'}
",
    );
    let (output, report) = report_of(&server.url("/"), &["--scenario", &file]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(report["statuses"]["200"].as_u64().unwrap() >= 70, "{}", report["statuses"]);
}

#[test]
fn failed_before_request_prevents_the_run() {
    let server = Server::start(|stream, request| {
        let response = if request.head.starts_with("PUT /models/iris ") { "404 No" } else { "200 OK" };
        let _ = write!(stream, "HTTP/1.1 {response}\r\nContent-Length: 0\r\n\r\n");
        Then::KeepOpen
    });
    let output = loadgen(&[server.url("/").as_str(), "--pattern", "inference"]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.contains("`before` request PUT /models/iris returned 404"), "{error}");
    assert_eq!(server.requests(), 1);
}

#[test]
fn can_be_interrupted_before_the_run() {
    let server = Server::silent();
    let (_folder, file) = scenario(
        "scenario: own\nbefore: [{get: /login}]\nstages: [{duration: 1s, rate: 40/s}]\nrequests: [{get: /}]\n",
    );
    let child = Command::new(LOADGEN)
        .args(["run", server.url("/").as_str(), "--scenario", &file, "-t", "10m"])
        .args(LENIENT)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the first request", || server.requests() > 0);
    signal(&child, Signal::SIGINT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("SIGINT before the start of the run: nothing was measured"),
        "{}",
        stderr(&output)
    );
    assert_eq!((server.requests(), stdout(&output)), (1, String::new()));
}

#[test]
fn warm_up_has_its_own_values() {
    let seen = Mutex::new(BTreeSet::new());
    let server = Server::start(move |stream, request| {
        let path = request.head.split(' ').nth(1).unwrap().to_owned();
        let parts: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        let mut seen = seen.lock().unwrap();
        let new = parts.into_iter().all(|part| seen.insert(part));
        let response = if new { "200 OK" } else { "409 Conflict" };
        let _ = write!(stream, "HTTP/1.1 {response}\r\nContent-Length: 0\r\n\r\n");
        Then::KeepOpen
    });
    let (_folder, file) = scenario(
        "scenario: own\nstages: [{duration: 1s, rate: 50/s}]\nrequests: [{get: '/{{n}}/{{uuid}}/{{text 12}}'}]\n",
    );
    let args = ["--scenario", &file, "--seed", "7", "--warmup", "1s"];
    let (output, report) = report_of(&server.url("/"), &args);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(report["warmup"]["ledger"]["expected"], 50);
}

#[test]
fn deadline_includes_the_warm_up() {
    let server = Server::gateway();
    let args = ["-q", "50", "-z", "10m", "--warmup", "10m", "--deadline", "1s"];
    let (output, report) = report_of(&server.url("/"), &args);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert_eq!(report["ended_early_by"], "deadline");
    assert!(report["warmup"]["ledger"]["expected"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn deadline_ends_a_run_at_an_impossible_rate() {
    let server = Server::gateway();
    let args = ["-q", "1000000000", "-z", "10m", "--deadline", "1s", "--threads", "1"];
    let (output, report) = report_of(&server.url("/"), &args);
    assert_eq!(output.status.code(), Some(4), "{}", stdout(&output));
    assert_eq!(report["ended_early_by"], "deadline");
}
