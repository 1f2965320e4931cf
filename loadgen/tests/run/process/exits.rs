//! Exit codes of `loadgen run` and their messages.

use std::net::TcpListener;
use std::process::Command;

use crate::command::{LENIENT, LOADGEN, ledger_adds_up, loadgen, report_of, stderr, stdout, summary_adds_up};
use crate::schema;
use crate::server::Server;

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
    assert!(progress.contains("trips: HighErrorRate, whose threshold of 5 % is exceeded"), "{progress}");
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
fn unexpected_responses_and_errors_exit_1() {
    let server = Server::gateway();
    let url = server.url("/api/error");
    let output = loadgen(&[url.as_str(), "-q", "100", "-n", "20"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("FAILED: 20 unexpected responses (100.0 %)."), "{}", stdout(&output));
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
        (&["--scenario", "/no/such/file"], "--scenario /no/such/file: cannot read"),
        (&["--threshold", "p99"], "`p99` is not a threshold"),
        (&["--abort-on-fail"], "--threshold"),
        (&["--warmup", "0s"], "invalid duration \"0s\": must be at least 1ms"),
        (&["http://no-such-host.invalid/"], "cannot resolve `no-such-host.invalid`"),
        (&["-q", "0"], "`0` is not a rate"),
        (&["-z", "30"], "`30` is not a duration"),
        (&["-z=-5"], "`-5` is not a duration"),
        (&["-t", "2h"], "`2h` is too long: must be at most 1h"),
        (&["-c", "0"], "`0` is not an integer from 1 to 65535"),
        (&["-n", "0"], "`0` is not an integer from 1 to 1000000000000"),
        (&["-n", "-5"], "`-5` is not an integer"),
        (&["-c", "1.5"], "`1.5` is not an integer"),
        (&["--threads", "256"], "`256` is not an integer from 1 to 255"),
        (&["--max-in-flight", "-1"], "`-1` is not an integer from 1 to 1000000"),
        (&["--seed", "-1"], "`-1` is not an integer from 0 to 4294967295"),
        (&["-z", "-1s"], "`-1s` is not a duration"),
        (&["-q", "-5"], "`-5` is not a rate"),
        (&["-q", "-5/s"], "`-5/s` is not a rate"),
        (&["-t", "-1s"], "`-1s` is not a duration"),
        (&["--stage", "-30s:5"], "`-30s` is not a duration"),
        (&["--warmup", "-1s"], "`-1s` is not a duration"),
        (&["--deadline", "-1s"], "`-1s` is not a duration"),
        (&["-z", "-q", "5"], "`-q` is not a duration"),
        (&["-q", "0.01", "-z", "5s"], "less than one request"),
        (&["--stage", "30s"], "`30s` is not a stage"),
        (&["--pattern", "storm"], "error-storm"),
        (&["-m", "FETCH"], "`FETCH` is not a method"),
        (&["-H", "nothing"], "`nothing` is not a header"),
        (&["-H", "Content-Length: 3"], "remove it"),
        (&["-D", "/no/such/file"], "-D /no/such/file"),
        (&["--expect-status", "fine"], "`fine` is not a status"),
        (&["--out", "run.txt"], "unknown extension: use .json, .html or .csv"),
        (&["--prometheus-addr", "localhost"], "`localhost` is not a listen address"),
        (&["--prometheus-addr", "a.example:1"], "such as 127.0.0.1:9464, localhost:9464 or :9464"),
        (&["--out", "/no/such/folder/run.json"], "choose another path"),
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
    summary_adds_up(&output);
    assert_eq!(output.status.code(), Some(4), "{}{}", stdout(&output), stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("out of file descriptors") && text.contains("ulimit -n"), "{text}");

    // Ten thousand connections with 256 descriptors: the excess is counted as local errors.
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
    summary_adds_up(&output);
    let code = output.status.code();
    assert!(
        code == Some(0) || code == Some(4) && stdout(&output).contains("pacer lag p99"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn printed_seed_reproduces_the_arrivals() {
    let server = Server::gateway();
    // Compares the total number of arrivals. The seconds they are sent in depend on the machine.
    let arrivals = |args: &[&str]| {
        let args = [&["-q", "300", "-z", "3s", "--arrivals", "poisson"], args].concat();
        let (output, report) = report_of(&server.url("/"), &args);
        assert!(stdout(&output).contains(&format!("--seed {}", report["seed"])), "{}", stdout(&output));
        let due = report["ledger"]["scheduled"].as_u64().unwrap();
        assert!((700..1100).contains(&due), "900 with a standard deviation of 30: {due}");
        (report["seed"].to_string(), due)
    };
    let (seed, due) = arrivals(&["--seed", "7"]);
    assert_eq!(seed, "7");
    assert_eq!(arrivals(&["--seed", "7"]).1, due);
    assert_ne!(arrivals(&["--seed", "8"]).1, due);
    // A random seed is printed too, and reproduces the run.
    let (drawn, due) = arrivals(&[]);
    assert_eq!(arrivals(&["--seed", &drawn]), (drawn, due));
}

#[test]
fn labels_a_closed_loop() {
    let server = Server::gateway();
    let output = loadgen(&[server.url("/").as_str(), "-c", "2", "-n", "50"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(
        stdout(&output).contains("CLOSED loop") && stdout(&output).contains("50 expected"),
        "{}",
        stdout(&output)
    );
}
