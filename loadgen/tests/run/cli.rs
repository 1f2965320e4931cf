//! `loadgen run` as a person or a script meets it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::schema;
use crate::server::Server;
use crate::support::wait_for;

pub const LOADGEN: &str = env!("CARGO_BIN_EXE_loadgen");
/// A busy machine makes requests late; only the test of lag wants to hear of it.
pub const LENIENT: [&str; 2] = ["--max-lag", "1h"];

pub fn loadgen(args: &[&str]) -> Output {
    Command::new(LOADGEN).arg("run").args(args).args(LENIENT).output().unwrap()
}

/// Runs it against `url` and reads its report, whose ledger must add up.
pub fn report_of(url: &url::Url, args: &[&str]) -> (Output, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let output = loadgen(&[&[url.as_str(), "--out", out.to_str().unwrap()], args].concat());
    let text = std::fs::read(&out).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    let report: serde_json::Value = serde_json::from_slice(&text).unwrap();
    schema::validate(&report);
    ledger_adds_up(&report);
    (output, report)
}

/// `scheduled` is the sum of all that became of arrivals.
pub fn ledger_adds_up(report: &serde_json::Value) {
    let ledger = &report["ledger"];
    let of = |name: &str| ledger[name].as_u64().unwrap();
    let parts = ["expected", "unexpected", "transport_errors", "local_errors", "shed", "unfinished"];
    assert_eq!(of("scheduled"), parts.map(of).iter().sum::<u64>(), "{ledger}");
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_fine_run_exits_0_with_summary_progress_and_report() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let url = server.url("/with/a/path");
    let output = loadgen(&[
        url.as_str(),
        "--pattern",
        "error-storm",
        "-q",
        "100",
        "-z",
        "2s",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("200 scheduled = 200 expected"), "{}", stdout(&output));
    assert!(stdout(&output).contains("200: 184 · 500: 16"), "{}", stdout(&output));
    let progress = stderr(&output);
    assert!(progress.contains("trips: HighErrorRate, whose 5 % are passed"), "{progress}");
    assert!(progress.contains("   1s  ") && progress.contains("/s of 100.0/s"), "{progress}");
    assert!(!progress.contains('\u{1b}'), "no escape sequences without a terminal");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    schema::validate(&report);
    ledger_adds_up(&report);
    assert_eq!(report["pattern"], "error-storm");
    assert_eq!(report["ledger"]["expected"], 200);
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["run.json"]);
}

#[test]
fn unexpected_answers_and_errors_exit_1() {
    let server = Server::gateway();
    let url = server.url("/api/error");
    let output = loadgen(&[url.as_str(), "-q", "100", "-n", "20"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("FAILED: 20 unexpected answers (100.0 %)."), "{}", stdout(&output));
    let output = loadgen(&[url.as_str(), "-q", "100", "-n", "20", "--expect-status", "5xx"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = loadgen(&[&format!("http://{free}/"), "-q", "100", "-n", "20"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("20 connection refused"), "{}", stdout(&output));
}

#[test]
fn bad_arguments_exit_2_and_name_input_and_remedy() {
    for (args, words) in [
        (&["localhost:8000"][..], "`localhost:8000` is not a URL"),
        (&["https://127.0.0.1/", "--cacert", "/no/such/file"], "--cacert /no/such/file"),
        (&["--connect-to", "localhost"], "`localhost` is not a host and a port"),
        (&["--scenario", "/no/such/file"], "--scenario /no/such/file: cannot read it"),
        (&["--threshold", "p99"], "`p99` is not a threshold"),
        (&["--abort-on-fail"], "--threshold"),
        (&["--warmup", "0s"], "`0s` is no time at all"),
        (&["http://no-such-host.invalid/"], "cannot resolve `no-such-host.invalid`"),
        (&["-q", "0"], "`0` is not a rate"),
        (&["-z", "30"], "`30` is not a duration"),
        (&["-z=-5"], "`-5` is not a duration"),
        (&["-t", "2h"], "over the limit of 1h"),
        (&["-c", "0"], "1..=65535"),
        (&["-n", "0"], "'0'"),
        (&["-q", "0.01", "-z", "5s"], "less than one request"),
        (&["--stage", "30s"], "`30s` is not a stage"),
        (&["--pattern", "storm"], "error-storm"),
        (&["-m", "FETCH"], "`FETCH` is not a method"),
        (&["-H", "nothing"], "`nothing` is not a header"),
        (&["-H", "Content-Length: 3"], "leave it out"),
        (&["-D", "/no/such/file"], "-D /no/such/file"),
        (&["--expect-status", "fine"], "`fine` is not a list of statuses"),
        (&["--out", "run.txt"], "ends in .json, .html or .csv"),
        (&["--prometheus-addr", "localhost"], "--prometheus-addr"),
        (&["--out", "/no/such/folder/run.json"], "choose another place"),
    ] {
        let output = loadgen(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
        assert!(stdout(&output).is_empty(), "{args:?}: {}", stdout(&output));
    }
}

#[test]
fn a_generator_that_cannot_keep_up_exits_4_with_the_cause() {
    let server = Server::silent();
    let url = server.url("/");
    let output = loadgen(&[url.as_str(), "-q", "200", "-n", "50", "--max-in-flight", "5", "-t", "2s"]);
    assert_eq!(output.status.code(), Some(4), "{}", stdout(&output));
    let text = stdout(&output);
    assert!(text.contains("INVALID") && text.contains("--max-in-flight"), "{text}");

    let output = Command::new("sh")
        .args(["-c", "ulimit -n 24; exec \"$0\" run \"$@\"", LOADGEN, url.as_str()])
        .args(["-q", "200", "-n", "60", "-t", "1s"])
        .args(LENIENT)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}{}", stdout(&output), stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("out of file descriptors") && text.contains("ulimit -n"), "{text}");

    // Ten thousand connections asked for with 256 descriptors: what fits is served, the rest is our own fault.
    let gateway = Server::gateway();
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 256; exec \"$0\" run \"$@\"", LOADGEN, gateway.url("/").as_str()])
        .args(["-c", "10000", "-n", "12000", "-t", "5s"])
        .args(LENIENT)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}{}", stdout(&output), stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("out of file descriptors") && text.contains("12,000 scheduled = "), "{text}");

    let url = Server::gateway();
    let output = Command::new(LOADGEN)
        .args(["run", url.url("/").as_str(), "-q", "100", "-n", "50", "--max-lag", "1ms", "--threads", "1"])
        .output()
        .unwrap();
    let code = output.status.code();
    assert!(
        code == Some(0) || code == Some(4) && stdout(&output).contains("pacer lag p99"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn the_seed_is_printed_and_repeats_the_run() {
    let server = Server::gateway();
    let url = server.url("/");
    let output = loadgen(&[url.as_str(), "-q", "300", "-z", "1s", "--arrivals", "poisson", "--seed", "7"]);
    let again = loadgen(&[url.as_str(), "-q", "300", "-z", "1s", "--arrivals", "poisson", "--seed", "7"]);
    assert!(stdout(&output).contains("--seed 7"), "{}", stdout(&output));
    let requests =
        |output: &Output| stdout(output).lines().find(|line| line.starts_with("requests")).map(str::to_owned);
    assert!(requests(&output).is_some_and(|line| line.contains("expected")));
    assert_eq!(requests(&output), requests(&again));
}

#[test]
fn a_closed_loop_is_labelled_as_such() {
    let server = Server::gateway();
    let output = loadgen(&[server.url("/").as_str(), "-c", "2", "-n", "50"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(
        stdout(&output).contains("CLOSED loop") && stdout(&output).contains("50 expected"),
        "{}",
        stdout(&output)
    );
}

/// A run under way against `server`, after its first request.
fn under_way(server: &Server, more: &[&str]) -> Child {
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

pub fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

#[test]
fn an_interrupted_run_reports_what_it_has() {
    for (name, number, code) in [("SIGINT", Signal::SIGINT, 130), ("SIGTERM", Signal::SIGTERM, 143)] {
        let server = Server::gateway();
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run.json");
        let child = under_way(&server, &["--out", out.to_str().unwrap()]);
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

#[test]
fn a_second_signal_ends_it_at_once_and_leaves_nothing_behind() {
    let server = Server::silent();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let mut child = under_way(&server, &["--out", out.to_str().unwrap()]);
    signal(&child, Signal::SIGINT);
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("a second signal") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it ended without a word");
    }
    signal(&child, Signal::SIGINT);
    std::io::copy(&mut errors.by_ref(), &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!folder.path().join("run.json.part").exists());
}

#[test]
fn every_example_of_the_help_works() {
    let help = Command::new(LOADGEN).args(["run", "--help"]).output().unwrap();
    let help = stdout(&help);
    assert!(help.lines().count() <= 90, "two screens: {}", help.lines().count());
    assert!(
        help.lines().all(|line| line.chars().count() <= 100),
        "an example that is wrapped cannot be copied: {help}"
    );
    let server = Server::start(|stream, request| {
        let status = match request.head.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["POST", _] => "422 No",
            [_, "/api/error"] => "500 Asked",
            _ => "200 OK",
        };
        let _ = std::io::Write::write_all(
            stream,
            format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes(),
        );
        crate::server::Then::KeepOpen
    });
    let folder = tempfile::tempdir().unwrap();
    let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  loadgen run")).collect();
    assert!(examples.len() >= 8, "{help}");
    for example in examples {
        // What stands behind some spaces is a remark.
        let (command, remark) = example.split_once("   ").unwrap_or((example, ""));
        let mut words: Vec<String> = words(command)
            .into_iter()
            .map(|word| word.replace("http://127.0.0.1:8000", &format!("http://{}", server.address)))
            .collect();
        if !words.iter().any(|word| word.starts_with("http://")) {
            words.insert(0, server.url("/").to_string());
        }
        // Twenty requests show as much as minutes of them; a later flag of the same name would be refused.
        match words.iter().position(|word| word == "-n") {
            Some(at) => words[at + 1] = "5".to_owned(),
            None => words.extend(["-n".to_owned(), "20".to_owned()]),
        }
        let output =
            Command::new(LOADGEN).arg("run").args(&words).args(LENIENT).current_dir(folder.path()).output();
        let output = output.unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{command} {remark}: {}{}",
            stdout(&output),
            stderr(&output)
        );
    }
    assert!(folder.path().join("storm.json").exists() && folder.path().join("storm.html").exists());
}

/// Splits as a shell does, as far as the examples need it.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in command.trim().chars() {
        match character {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn the_help_has_examples() {
    let output = Command::new(LOADGEN).args(["run", "--help"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let help = stdout(&output);
    for words in [
        "Examples:",
        "--pattern error-storm",
        "Load:",
        "Limits:",
        "Request:",
        "Connection:",
        "Verdict:",
        "Output:",
        "Exit codes:",
    ] {
        assert!(help.contains(words), "{words} is not in\n{help}");
    }
}
