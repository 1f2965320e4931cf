//! `loadgen drill` without a stack: files, arguments, unreachable systems, and signals.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but clippy does not see helpers as such"
)]

mod check;
mod documents;
mod hostile;
mod routes;

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const DRILL: &str = "\
drill: high-error-rate
proves: {alert: HighErrorRate, labels: {severity: warning}}
summary: 8 % of responses are 5xx
baseline: {rate: 40/s, requests: [{get: /api/users}]}
cause:
  load: {rate: 40/s, requests: [{weight: 92, get: /api/users}, {weight: 8, get: /api/error, expect: 500}]}
expect: {delivered: [webhook, slack]}
";

fn loadgen(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.arg("drill").args(arguments).current_dir(directory).stdin(Stdio::null());
    command
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    loadgen(directory, arguments).output().expect("loadgen can be started")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).expect("a file in it");
    }
    directory
}

/// The URL of a port that was just closed.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("its address"))
}

#[test]
fn a_bad_file_is_reported_with_its_line_and_exits_2() {
    let directory = directory(&[
        ("a.yaml", &DRILL.replace("summary:", "sumary:")),
        ("b.yaml", &DRILL.replace("rate: 40/s, requests: [{get", "rate: fast, requests: [{get")),
        ("c.yaml", "drill: [unclosed\n"),
        ("d.txt", "not looked at"),
    ]);
    let output = run(directory.path(), &["."]);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("./a.yaml:3:") && message.contains("sumary"), "{message}");
    assert!(
        message.contains("./b.yaml:4:") && message.contains("`fast` is not a rate: expected"),
        "{message}"
    );
    assert!(message.contains("./c.yaml:"), "{message}");
    assert_eq!(message.lines().count(), 3, "{message}");
}

#[test]
fn missing_and_duplicate_files_exit_2() {
    let directory = directory(&[("a.yaml", DRILL), ("b.yaml", DRILL)]);
    std::fs::create_dir(directory.path().join("empty")).unwrap();
    for (arguments, message) in [
        (&["gone.yaml"][..], "gone.yaml: no such file or directory: expected"),
        (&["."], "duplicate drill name `high-error-rate`: already used in ./a.yaml"),
        (&["empty"], "empty: no drill found: expected *.yaml files that begin with `drill:`"),
        (&["a.yaml", "--json", "no/such/report.json"], "no/such/report.json: cannot write"),
        (&["a.yaml", "--proofs", "b.yaml"], "--proofs b.yaml: cannot store proofs: "),
        (&["a.yaml", "--scale", "0.5"], "must be at least 1"),
        (&["a.yaml", "--prometheus", "nowhere"], "nowhere"),
        (&["a.yaml", "--inbox", "nobody"], "expected a URL such as http://127.0.0.1:8025, or none"),
        (&[], "FILE|DIRECTORY"),
    ] {
        let output = run(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn leftovers_directory_may_hold_other_files_and_must_be_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = directory(&[("a.yaml", DRILL)]);
    let h = directory.path().join("h");
    std::fs::create_dir(&h).unwrap();
    std::fs::write(h.join("thesis.txt"), "x\n").unwrap();
    let gone = closed();
    let arguments =
        ["--leftovers", "h", "--prometheus", &gone, "--alertmanager", &gone, "--inbox", "none", "a.yaml"];
    std::fs::set_permissions(&h, std::fs::Permissions::from_mode(0o777)).unwrap();
    let output = run(directory.path(), &arguments);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("--leftovers: h: other users may write to it (mode 777)"),
        "{}",
        stderr(&output)
    );
    std::fs::set_permissions(&h, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(run(directory.path(), &arguments).status.code(), Some(5));
    assert_eq!(std::fs::read_to_string(h.join("thesis.txt")).unwrap(), "x\n");
    assert_eq!(std::fs::read_dir(&h).unwrap().count(), 1);
}

#[test]
fn reads_the_suite_file_beside_a_single_drill() {
    let suite = "# what is always on\nsuite: here\nambient:\n  - {alert: Watchdog, resaon: heartbeat}\n";
    let directory =
        directory(&[("a.yaml", DRILL), ("suite.yaml", suite), ("other.yaml", "drill: [broken\n")]);
    let output = run(directory.path(), &["a.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("suite.yaml:4:"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("other.yaml"), "{}", stderr(&output));
}

#[test]
fn unreachable_systems_refuse_the_drill() {
    let second = DRILL.replace("drill: high-error-rate", "drill: second");
    let directory = directory(&[("a.yaml", DRILL), ("b.yaml", &second)]);
    let (prometheus, alertmanager, inbox) = (closed(), closed(), closed());
    // An earlier report is replaced, not overwritten: whoever still reads it sees all of it.
    let earlier = directory.path().join("earlier.json");
    std::fs::write(&earlier, "earlier").unwrap();
    std::fs::hard_link(&earlier, directory.path().join("out.json")).unwrap();
    let output = run(
        directory.path(),
        &[
            "--prometheus",
            &prometheus,
            "--alertmanager",
            &alertmanager,
            "--inbox",
            &inbox,
            "--target",
            &closed(),
            "--json",
            "out.json",
            "--html",
            "out.html",
            ".",
        ],
    );
    let message = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(5), "{message}{}", stderr(&output));
    assert_eq!(message.matches("REFUSED").count(), 4, "details and a table line for each: {message}");
    assert!(
        message.contains("Prometheus at") && message.contains(prometheus.trim_start_matches("http://")),
        "{message}"
    );

    assert_eq!(std::fs::read_to_string(&earlier).unwrap(), "earlier");
    let text = std::fs::read_to_string(directory.path().join("out.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["drills"].as_array().unwrap().len(), 2);
    assert_eq!(report["drills"][1]["drill"], "second");
    assert_eq!(report["drills"][1]["verdict"], "REFUSED");
    assert_eq!(report["drills"][1]["phases"]["pending"]["seconds"], serde_json::Value::Null);
    let page = std::fs::read_to_string(directory.path().join("out.html")).unwrap();
    assert!(page.contains("0 of 2 drills proven") && page.contains("REFUSED"));
}

/// A listener that never accepts. The kernel completes its connections, which keeps the drill in its preflight.
fn hanging() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    (listener, url)
}

fn interrupted_by(signal: &str) -> (Option<i32>, String, Duration) {
    let directory = directory(&[("a.yaml", DRILL), ("b.yaml", &DRILL.replace("high-error-rate", "second"))]);
    let ((_prometheus, hangs), closed) = (hanging(), closed());
    let mut child = loadgen(
        directory.path(),
        &["--prometheus", &hangs, "--alertmanager", &closed, "--inbox", &closed, "--target", &closed, "."],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .expect("loadgen can be started");
    // The first line on standard error shows that the drill has started, so signals are handled.
    let mut first = [0_u8; 1];
    let stderr = child.stderr.as_mut().expect("it is piped");
    stderr.read_exact(&mut first).expect("a first line");
    let sent = Instant::now();
    let killed = Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status()
        .expect("kill can be started");
    assert!(killed.success());
    let output = child.wait_with_output().expect("loadgen ends");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), sent.elapsed())
}

fn ends_with_partial_results(signal: &str, code: i32) {
    let (status, message, took) = interrupted_by(signal);
    assert_eq!(status, Some(code), "{message}");
    assert!(message.contains(&format!("interrupted by SIG{signal} in phase preflight")), "{message}");
    assert!(message.contains("INCONCLUSIVE") && message.contains("not run: second"), "{message}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn ctrl_c_reports_partial_results() {
    ends_with_partial_results("INT", 130);
}

#[test]
fn sigterm_reports_partial_results() {
    ends_with_partial_results("TERM", 143);
}
