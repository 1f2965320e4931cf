//! `loadgen drill` as a person calls it, as far as that needs no stack: files, arguments, systems that are not
//! there, and signals.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but clippy does not see helpers as such"
)]

mod documents;

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const DRILL: &str = "\
drill: high-error-rate
proves: {alert: HighErrorRate, labels: {severity: warning}}
summary: 8 % of answers are 5xx
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

/// A port that nobody listens on, as far as one can know.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("its address"))
}

#[test]
fn a_bad_file_is_told_with_its_line_and_ends_with_2() {
    let directory = directory(&[
        ("a.yaml", &DRILL.replace("summary:", "sumary:")),
        ("b.yaml", &DRILL.replace("rate: 40/s, requests: [{get", "rate: fast, requests: [{get")),
        ("c.yaml", "drill: [unclosed\n"),
        ("d.txt", "not looked at"),
    ]);
    let output = run(directory.path(), &["."]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("./a.yaml:3:") && said.contains("sumary"), "{said}");
    assert!(said.contains("./b.yaml:4:") && said.contains("`fast` is not a rate: expected"), "{said}");
    assert!(said.contains("./c.yaml:"), "{said}");
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn files_that_are_missing_twice_or_none_end_with_2() {
    let directory = directory(&[("a.yaml", DRILL), ("b.yaml", DRILL)]);
    std::fs::create_dir(directory.path().join("empty")).unwrap();
    for (arguments, said) in [
        (&["gone.yaml"][..], "gone.yaml: no such file or directory: expected"),
        (&["."], "duplicate drill name `high-error-rate`: already used in ./a.yaml"),
        (&["empty"], "empty: no drill found: expected *.yaml files that begin with `drill:`"),
        (&["a.yaml", "--json", "no/such/report.json"], "no/such/report.json: cannot be written"),
        (&["a.yaml", "--proofs", "b.yaml"], "--proofs b.yaml: proofs cannot be kept there: "),
        (&["a.yaml", "--scale", "0.5"], "expected a number of 1 or more"),
        (&["a.yaml", "--prometheus", "nowhere"], "nowhere"),
        (&["a.yaml", "--inbox", "nobody"], "expected an address such as http://127.0.0.1:8025, or none"),
        (&[], "FILE|DIRECTORY"),
    ] {
        let output = run(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn the_folder_of_what_is_left_may_hold_other_things_and_must_be_ones_own() {
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
        stderr(&output).contains("--leftovers: h: others may write to it (mode 777)"),
        "{}",
        stderr(&output)
    );
    std::fs::set_permissions(&h, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(run(directory.path(), &arguments).status.code(), Some(5));
    assert_eq!(std::fs::read_to_string(h.join("thesis.txt")).unwrap(), "x\n");
    assert_eq!(std::fs::read_dir(&h).unwrap().count(), 1);
}

#[test]
fn a_suite_file_is_read_beside_a_single_drill() {
    let suite = "# what is always on\nsuite: here\nambient:\n  - {alert: Watchdog, resaon: heartbeat}\n";
    let directory =
        directory(&[("a.yaml", DRILL), ("suite.yaml", suite), ("other.yaml", "drill: [broken\n")]);
    let output = run(directory.path(), &["a.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("suite.yaml:4:"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("other.yaml"), "{}", stderr(&output));
}

#[test]
fn systems_that_are_not_there_refuse_the_drill() {
    let second = DRILL.replace("drill: high-error-rate", "drill: second");
    let directory = directory(&[("a.yaml", DRILL), ("b.yaml", &second)]);
    let (prometheus, alertmanager, inbox) = (closed(), closed(), closed());
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
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}{}", stderr(&output));
    assert_eq!(said.matches("REFUSED").count(), 4, "a story and a line in the table for each: {said}");
    assert!(
        said.contains("Prometheus at") && said.contains(prometheus.trim_start_matches("http://")),
        "{said}"
    );

    let text = std::fs::read_to_string(directory.path().join("out.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["drills"].as_array().unwrap().len(), 2);
    assert_eq!(report["drills"][1]["drill"], "second");
    assert_eq!(report["drills"][1]["verdict"], "REFUSED");
    assert_eq!(report["drills"][1]["phases"]["pending"]["seconds"], serde_json::Value::Null);
    let page = std::fs::read_to_string(directory.path().join("out.html")).unwrap();
    assert!(page.contains("0 of 2 drills proven") && page.contains("REFUSED"));
}

/// A listener whose connections are accepted by the kernel and never answered keeps the drill in its preflight.
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
    // The first line on standard error says that the drill has begun, so that signals are handled.
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
    let (status, said, took) = interrupted_by(signal);
    assert_eq!(status, Some(code), "{said}");
    assert!(said.contains(&format!("interrupted by SIG{signal} in phase preflight")), "{said}");
    assert!(said.contains("INCONCLUSIVE") && said.contains("not run: second"), "{said}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn ctrl_c_ends_a_run_with_its_partial_results() {
    ends_with_partial_results("INT", 130);
}

#[test]
fn sigterm_ends_a_run_with_its_partial_results() {
    ends_with_partial_results("TERM", 143);
}
