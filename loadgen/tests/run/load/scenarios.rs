//! Scenario files and built-in patterns.

use std::process::Command;

use crate::command::{loadgen, report_of, stderr, stdout};
use crate::server::Server;

#[test]
fn runs_the_stages_of_a_file() {
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
        "the burst belongs to its second"
    );
}

/// Stores users like the gateway.
fn users() -> Server {
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::sync::Mutex;
    let users: Mutex<BTreeMap<u64, String>> = Mutex::default();
    Server::start(move |stream, request| {
        let (method, rest) = request.head.split_once(' ').unwrap();
        let path = rest.split(' ').next().unwrap();
        let id: Option<u64> = path.strip_prefix("/api/users/").and_then(|id| id.parse().ok());
        let json = || serde_json::from_slice::<serde_json::Value>(&request.body).unwrap();
        let mut users = users.lock().unwrap();
        let (status, body) = match (method, id) {
            ("POST", None) => {
                let email = json()["email"].as_str().unwrap().to_owned();
                if users.values().any(|other| *other == email) {
                    ("409 Taken", String::new())
                } else {
                    let id = 1 + users.keys().last().copied().unwrap_or(0);
                    users.insert(id, email);
                    ("201 Created", format!("{{\"id\": {id}}}"))
                }
            }
            ("PUT", Some(id)) if users.contains_key(&id) && json()["name"].is_string() => {
                ("200 OK", String::new())
            }
            ("GET", Some(id)) if users.contains_key(&id) => ("200 OK", String::new()),
            ("DELETE", Some(id)) if users.remove(&id).is_some() => ("204 Gone", String::new()),
            ("GET", None) => ("200 OK", String::new()),
            _ => ("404 Not Found", String::new()),
        };
        let length = if status.starts_with("204") {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let _ = write!(stream, "HTTP/1.1 {status}\r\n{length}\r\n{body}");
        crate::server::Then::KeepOpen
    })
}

#[test]
fn uses_captured_values_in_later_requests() {
    let server = users();
    let more = ["--pattern", "crud", "-q", "250", "-z", "2s", "--seed", "9"];
    let (output, report) = crate::command::report_of(&server.url("/"), &more);
    // No 404: no user is read before its creation or after its deletion.
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert_eq!((&report["ledger"]["expected"], &report["seed"]), (&500.into(), &9.into()));
    let [made, deleted] = ["201", "204"].map(|status| report["statuses"][status].as_u64().unwrap());
    assert!(made >= 100 && (10..=75).contains(&deleted), "{}", report["statuses"]);
    // The same seed creates the same users, which exist now unless they were deleted.
    let (output, report) = crate::command::report_of(&server.url("/"), &[&more[..], &["-n", "1"]].concat());
    assert_eq!(report["ledger"]["scheduled"], 1, "{}", stdout(&output));
}

#[test]
fn response_without_the_captured_value_is_unexpected() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.yaml");
    let text = "scenario: own\nstages: [{duration: 1s, rate: 50/s}]\nrequests:\n  - {post: /, capture: {user: /id}}\n  \
                - {get: '/{{user}}'}\n";
    std::fs::write(&file, text).unwrap();
    let (output, report) =
        crate::command::report_of(&server.url("/"), &["--scenario", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    // The dependent request is never sent: the request that captures the value is sent instead.
    assert_eq!((&report["ledger"]["unexpected"], &report["statuses"]["200"]), (&50.into(), &50.into()));
}

#[test]
fn burst_only_scenario_has_no_rate() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.yaml");
    std::fs::write(&file, "scenario: own\nstages: [{burst: 300}]\nrequests: [{get: /}]\n").unwrap();
    let args = ["--scenario", file.to_str().unwrap(), "-c", "2"];
    let (output, report) = report_of(&server.url("/"), &args);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("300 at once"), "{}", stdout(&output));
    assert_eq!(
        (&report["target_rate"], &report["overload"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
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
fn file_errors_have_a_position() {
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
fn printed_pattern_is_a_valid_scenario() {
    let loadgen = env!("CARGO_BIN_EXE_loadgen");
    let printed = Command::new(loadgen).args(["patterns", "error-storm"]).output().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.yaml");
    std::fs::write(&file, &printed.stdout).unwrap();
    let server = Server::gateway();
    let output = crate::command::loadgen(&[
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

#[test]
fn file_and_flag_share_the_notation_of_expected_statuses() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.yaml");
    for expect in ["2xx,500-503", "200,500", "200-599"] {
        let text = format!(
            "scenario: own\nstages: [{{duration: 1s, rate: 20/s}}]\nrequests:\n  - {{get: /, expect: '{expect}'}}\n  \
             - {{get: /api/error, expect: [{expect}]}}\n"
        );
        std::fs::write(&file, text).unwrap();
        let (output, of_file) =
            crate::command::report_of(&server.url("/"), &["--scenario", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
        let message = &of_file["requests"][1]["expected_statuses"];
        let more = ["-q", "200", "-n", "20", "--expect-status", message.as_str().unwrap()];
        let (output, of_flag) = crate::command::report_of(&server.url("/api/error"), &more);
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
        assert_eq!((&of_flag["requests"][0]["expected_statuses"], message), (message, &expect.into()));
    }
}
