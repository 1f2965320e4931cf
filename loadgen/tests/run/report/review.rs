//! `loadgen report`: validates reports and does not hide failures when merging.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{LOADGEN, report_of, stderr, stdout};
use crate::server::Server;

/// Reports in a temporary directory.
struct Reports(TempDir);

impl Reports {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a report.
    fn put(&self, name: &str, report: &Value) -> PathBuf {
        std::fs::write(self.path(name), report.to_string()).unwrap();
        self.path(name)
    }
}

fn report(files: &[&Path], args: &[&str]) -> Output {
    Command::new(LOADGEN).arg("report").args(files).args(args).output().unwrap()
}

/// A successful run.
fn fine(server: &Server, args: &[&str]) -> Value {
    let (output, report) = report_of(&server.url("/"), &[&["-q", "200", "-n", "20"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    report
}

#[test]
fn rejects_impossible_values_by_file_field_and_value() {
    let server = Server::gateway();
    let good = fine(&server, &["--warmup", "100ms", "--threshold", "p99<1h"]);
    let reports = Reports::new();
    for (pointer, value, words) in [
        ("/elapsed_seconds", json!(-5), "elapsed_seconds: -5 is not between 0 and 4294967295"),
        ("/elapsed_seconds", json!(1e300), "elapsed_seconds: 1e+300 is not between 0 and 4294967295"),
        ("/warmup/seconds", json!(-1), "warmup.seconds: -1 is not between 0"),
        (
            "/warmup/ledger/shed",
            json!(u64::MAX),
            "warmup.ledger.shed: 18446744073709551615 is not between 0 and 1000",
        ),
        ("/settings/timeout_seconds", json!(-1e308), "settings.timeout_seconds: -1e+308"),
        ("/target_rate", json!(-5), "target_rate: -5 is not between 0"),
        ("/series/0/response_p99_seconds", json!(1e10), "series[0].response_p99_seconds: 10000000000"),
        ("/latency_seconds/service/p99", json!(-0.5), "latency_seconds.service.p99: -0.5"),
        (
            "/latency_seconds/response/hdr_v2_base64",
            json!("AAAA"),
            "latency_seconds.response.hdr_v2_base64: invalid Hdr",
        ),
        (
            "/latency_seconds/pacer_lag/hdr_v2_base64",
            json!("?"),
            "latency_seconds.pacer_lag.hdr_v2_base64: invalid base64",
        ),
        (
            "/latency_seconds/service/count",
            json!(19),
            "service.hdr_v2_base64: contains 20 values, but count is 19",
        ),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        let file = reports.put("bad.json", &bad);
        let out = reports.path("out.html");
        for files in [&[file.as_path()][..], &[&file, &reports.put("good.json", &good)]] {
            let output = report(files, &["--out", out.to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(2), "{pointer}: {}", stderr(&output));
            let message = stderr(&output);
            assert!(message.contains("bad.json: ") && message.contains(words), "{pointer}: {message}");
            assert!(message.contains("written by `loadgen run --out FILE.json`"), "{message}");
            assert!(!out.exists() && stdout(&output).is_empty(), "{pointer}");
        }
    }
    // The unmodified report is accepted.
    let good = reports.put("good.json", &good);
    assert_eq!(report(&[&good], &[]).status.code(), Some(0));
}

#[test]
fn reports_a_truncated_histogram() {
    let server = Server::gateway();
    let mut bad = fine(&server, &[]);
    let text = bad["latency_seconds"]["response"]["hdr_v2_base64"].as_str().unwrap();
    bad["latency_seconds"]["response"]["hdr_v2_base64"] = json!(text[..text.len() / 8 * 4]);
    let reports = Reports::new();
    let output = report(&[&reports.put("cut.json", &bad)], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains(
            "cut.json: latency_seconds.response.hdr_v2_base64: invalid HdrHistogram V2: truncated or"
        ),
        "{}",
        stderr(&output)
    );
}

#[test]
fn evaluates_the_thresholds_of_the_runs_against_the_merged_report() {
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
    assert!(text.contains("CROSSED     p50<1us") && text.contains("met         failed<1%"), "{text}");
    assert!(stderr(&output).is_empty(), "{}", stderr(&output));
    let held = serde_json::from_slice::<Value>(&std::fs::read(&both).unwrap()).unwrap()["thresholds"].clone();
    assert_eq!(
        (&held[0]["ok"], &held[1]["ok"], held.as_array().unwrap().len()),
        (&json!(false), &json!(true), 2)
    );
    // Given thresholds replace those of the runs, with a warning for each failure this hides.
    let output = report(&[&a, &b], &["--threshold", "p50<1h"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stderr(&output).contains("b.json: THRESHOLD crossed: p50<1us (is "), "{}", stderr(&output));
    // Twenty failures that the other run's threshold tolerates.
    let (failed, code) = run("failed.json", &["--expect-status", "404"]);
    assert_eq!(code, Some(1));
    let (lenient, _) = run("lenient.json", &["--threshold", "failed<60%"]);
    let output = report(&[&failed, &lenient], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stderr(&output).contains("failed.json: FAILED: 20 unexpected responses"), "{}", stderr(&output));
    // A threshold that this version cannot parse.
    let mut old = serde_json::from_slice::<Value>(&std::fs::read(&a).unwrap()).unwrap();
    old["thresholds"][0]["threshold"] = json!("p<1us");
    let output = report(&[&reports.put("old.json", &old), &b], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("`p` is not a metric") && stderr(&output).contains("--threshold"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn merged_report_stays_invalid_or_interrupted() {
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
fn rejects_duplicate_runs() {
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
        let message = stderr(&output);
        let names = files.map(|file| file.file_name().unwrap().to_str().unwrap());
        assert!(names.iter().all(|name| message.contains(name)), "{message}");
        assert!(message.contains("contain the same run, started at 20"), "{message}");
    }
}

#[test]
fn warns_about_runs_that_are_hard_to_compare() {
    let server = Server::gateway();
    let reports = Reports::new();
    let open = reports.put("open.json", &fine(&server, &[]));
    let closed = closed_loop(&server, &reports);
    let output = report(&[&open, &closed], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("warning: 1 of 2 runs used a closed loop"), "{}", stderr(&output));
    let other = Server::gateway();
    let elsewhere = reports.put("elsewhere.json", &fine(&other, &[]));
    let message = stderr(&report(&[&open, &elsewhere], &[]));
    let targets = [server.url("/"), other.url("/")];
    assert!(message.contains("warning: the runs have different targets ("), "{message}");
    assert!(targets.iter().all(|target| message.contains(target.as_str())), "{message}");
    assert_eq!(stderr(&report(&[&open], &[])), "");
}

fn closed_loop(server: &Server, reports: &Reports) -> PathBuf {
    let (_, report) = report_of(&server.url("/"), &["-c", "2", "-n", "20"]);
    reports.put("closed.json", &report)
}

#[test]
fn broken_ledger_fails_the_report() {
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
        text.contains("FAILED: the request counts do not add up: 20 arrivals were scheduled, but 19 are"),
        "{text}"
    );
    assert!(std::fs::read_to_string(page).unwrap().contains("FAILED: the request counts do not add up"));
}
