//! `loadgen report`: what is read is made sure of, what is merged is not taken for better than it was.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{LOADGEN, report_of, stderr, stdout};
use crate::server::Server;

/// Reports in a folder of their own.
struct Reports(TempDir);

impl Reports {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a report as somebody left it.
    fn put(&self, name: &str, report: &Value) -> PathBuf {
        std::fs::write(self.path(name), report.to_string()).unwrap();
        self.path(name)
    }
}

fn report(files: &[&Path], args: &[&str]) -> Output {
    Command::new(LOADGEN).arg("report").args(files).args(args).output().unwrap()
}

/// A fine run.
fn fine(server: &Server, args: &[&str]) -> Value {
    let (output, report) = report_of(&server.url("/"), &[&["-q", "200", "-n", "20"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    report
}

#[test]
fn figures_that_cannot_be_are_refused_by_file_field_and_value() {
    let server = Server::gateway();
    let good = fine(&server, &["--warmup", "100ms", "--threshold", "p99<1h"]);
    let reports = Reports::new();
    for (pointer, value, words) in [
        ("/elapsed_seconds", json!(-5), "elapsed_seconds: -5 is not from 0 to 4294967295"),
        ("/elapsed_seconds", json!(1e300), "elapsed_seconds: 1e+300 is not from 0 to 4294967295"),
        ("/warmup/seconds", json!(-1), "warmup.seconds: -1 is not from 0"),
        (
            "/warmup/ledger/shed",
            json!(u64::MAX),
            "warmup.ledger.shed: 18446744073709551615 is not from 0 to 1000",
        ),
        ("/settings/timeout_seconds", json!(-1e308), "settings.timeout_seconds: -1e+308"),
        ("/target_rate", json!(-5), "target_rate: -5 is not from 0"),
        ("/series/0/response_p99_seconds", json!(1e10), "series[0].response_p99_seconds: 10000000000"),
        ("/latency_seconds/service/p99", json!(-0.5), "latency_seconds.service.p99: -0.5"),
        (
            "/latency_seconds/response/hdr_v2_base64",
            json!("AAAA"),
            "latency_seconds.response.hdr_v2_base64: no Hdr",
        ),
        (
            "/latency_seconds/pacer_lag/hdr_v2_base64",
            json!("?"),
            "latency_seconds.pacer_lag.hdr_v2_base64: no base64",
        ),
        (
            "/latency_seconds/service/count",
            json!(19),
            "service.hdr_v2_base64: it holds 20 values, but count is 19",
        ),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        let file = reports.put("bad.json", &bad);
        let out = reports.path("out.html");
        for files in [&[file.as_path()][..], &[&file, &reports.put("good.json", &good)]] {
            let output = report(files, &["--out", out.to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(2), "{pointer}: {}", stderr(&output));
            let said = stderr(&output);
            assert!(said.contains("bad.json: ") && said.contains(words), "{pointer}: {said}");
            assert!(said.contains("that `loadgen run --out FILE.json` wrote"), "{said}");
            assert!(!out.exists() && stdout(&output).is_empty(), "{pointer}");
        }
    }
    // As it was, it is a report.
    let good = reports.put("good.json", &good);
    assert_eq!(report(&[&good], &[]).status.code(), Some(0));
}

#[test]
fn a_histogram_that_was_cut_off_is_said_to_be() {
    let server = Server::gateway();
    let mut bad = fine(&server, &[]);
    let text = bad["latency_seconds"]["response"]["hdr_v2_base64"].as_str().unwrap();
    bad["latency_seconds"]["response"]["hdr_v2_base64"] = json!(text[..text.len() / 8 * 4]);
    let reports = Reports::new();
    let output = report(&[&reports.put("cut.json", &bad)], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output)
            .contains("cut.json: latency_seconds.response.hdr_v2_base64: no HdrHistogram V2: cut off or"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_the_runs_were_held_against_is_held_against_all_together() {
    let server = Server::gateway();
    let reports = Reports::new();
    let run = |name: &str, args: &[&str]| {
        let (output, report) = report_of(&server.url("/"), &[&["-q", "200", "-n", "20"], args].concat());
        (reports.put(name, &report), output.status.code())
    };
    let crossed = ["--threshold", "p50<1us", "--threshold", "failed<1%"];
    let (a, code) = run("a.json", &crossed);
    let (b, _) = run("b.json", &crossed);
    assert_eq!(code, Some(3));
    let both = reports.path("both.json");
    let output = report(&[&a, &b], &["--out", both.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    let text = stdout(&output);
    assert!(text.contains("CROSSED     p50<1us") && text.contains("kept        failed<1%"), "{text}");
    assert!(stderr(&output).is_empty(), "{}", stderr(&output));
    let held = serde_json::from_slice::<Value>(&std::fs::read(&both).unwrap()).unwrap()["thresholds"].clone();
    assert_eq!(
        (&held[0]["ok"], &held[1]["ok"], held.as_array().unwrap().len()),
        (&json!(false), &json!(true), 2)
    );
    // What is given stands in their place, and what that hides is said by name.
    let output = report(&[&a, &b], &["--threshold", "p50<1h"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stderr(&output).contains("b.json: THRESHOLD crossed: p50<1us (is "), "{}", stderr(&output));
    // Twenty failures of which the other run's threshold thinks nothing.
    let (failed, code) = run("failed.json", &["--expect-status", "404"]);
    assert_eq!(code, Some(1));
    let (lenient, _) = run("lenient.json", &["--threshold", "failed<60%"]);
    let output = report(&[&failed, &lenient], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stderr(&output).contains("failed.json: FAILED: 20 unexpected answers"), "{}", stderr(&output));
    // A threshold that was read once and is no more.
    let mut old = serde_json::from_slice::<Value>(&std::fs::read(&a).unwrap()).unwrap();
    old["thresholds"][0]["threshold"] = json!("p<1us");
    let output = report(&[&reports.put("old.json", &old), &b], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("`p` is not a figure") && stderr(&output).contains("--threshold"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_was_invalid_or_interrupted_stays_so() {
    let server = Server::gateway();
    let reports = Reports::new();
    let good = fine(&server, &[]);
    let good_file = reports.put("good.json", &good);
    let with = |pointer: &str, value: Value| {
        let mut report = fine(&server, &[]);
        *report.pointer_mut(pointer).unwrap() = value;
        reports.put("other.json", &report)
    };
    for (pointer, value, code) in [
        ("/valid", json!(false), 4),
        ("/interrupted_by", json!("SIGINT"), 130),
        ("/interrupted_by", json!("SIGTERM"), 143),
        ("/ended_early_by", json!("deadline"), 1),
        ("/ledger/expected", json!(19), 1),
    ] {
        let output = report(&[&good_file, &with(pointer, value)], &[]);
        assert_eq!(output.status.code(), Some(code), "{pointer}: {}", stdout(&output));
        assert!(!stdout(&output).contains("Fine"), "{}", stdout(&output));
    }
}

#[test]
fn a_run_counts_once() {
    let server = Server::gateway();
    let reports = Reports::new();
    let [a, b] = ["a.json", "b.json"].map(|name| reports.put(name, &fine(&server, &[])));
    let copy = reports.put("copy.json", &serde_json::from_slice(&std::fs::read(&a).unwrap()).unwrap());
    let both = reports.path("both.json");
    let output = report(&[&a, &b], &["--out", both.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for files in [[&a, &a], [&a, &copy], [&both, &a], [&a, &both], [&both, &both]] {
        let output = report(&files.map(PathBuf::as_path), &[]);
        assert_eq!(output.status.code(), Some(2), "{files:?}");
        let said = stderr(&output);
        let names = files.map(|file| file.file_name().unwrap().to_str().unwrap());
        assert!(names.iter().all(|name| said.contains(name)), "{said}");
        assert!(said.contains("hold the same run, of 20"), "{said}");
    }
}

#[test]
fn what_does_not_go_together_is_said() {
    let server = Server::gateway();
    let reports = Reports::new();
    let open = reports.put("open.json", &fine(&server, &[]));
    let closed = closed_loop(&server, &reports);
    let output = report(&[&open, &closed], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("warning: 1 of 2 runs is a closed loop"), "{}", stderr(&output));
    let other = Server::gateway();
    let elsewhere = reports.put("elsewhere.json", &fine(&other, &[]));
    let said = stderr(&report(&[&open, &elsewhere], &[]));
    let targets = [server.url("/"), other.url("/")];
    assert!(said.contains("warning: the runs have different targets, "), "{said}");
    assert!(targets.iter().all(|target| said.contains(target.as_str())), "{said}");
    assert_eq!(stderr(&report(&[&open], &[])), "");
}

fn closed_loop(server: &Server, reports: &Reports) -> PathBuf {
    let (_, report) = report_of(&server.url("/"), &["-c", "2", "-n", "20"]);
    reports.put("closed.json", &report)
}

#[test]
fn a_ledger_that_does_not_add_up_fails_whatever_else_is_fine() {
    let server = Server::gateway();
    let reports = Reports::new();
    let mut lost = fine(&server, &["--threshold", "failed<50%"]);
    lost["ledger"]["expected"] = json!(19);
    let page = reports.path("lost.html");
    let output = report(&[&reports.put("lost.json", &lost)], &["--out", page.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.contains("20 scheduled DOES NOT EQUAL 19 expected"), "{text}");
    assert!(
        text.contains("FAILED: the ledger does not add up: 20 arrivals were scheduled, 19 are accounted"),
        "{text}"
    );
    assert!(std::fs::read_to_string(page).unwrap().contains("FAILED: the ledger does not add up"));
}
