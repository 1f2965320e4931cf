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
