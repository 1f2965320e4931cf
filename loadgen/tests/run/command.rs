//! Runs the command and checks its result.

use std::process::{Child, Command, Output};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::schema;

pub const LOADGEN: &str = env!("CARGO_BIN_EXE_loadgen");
/// Tolerates lag, as a busy machine sends requests late. Only the test of lag needs the limit.
pub const LENIENT: [&str; 2] = ["--max-lag", "1h"];

/// Runs the command. The ledger of its report must always add up.
pub fn loadgen(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("every-run.json");
    let output =
        Command::new(LOADGEN).arg("run").args(args).args(LENIENT).arg("--out").arg(&out).output().unwrap();
    match std::fs::read(&out) {
        Ok(text) => ledger_adds_up(&serde_json::from_slice(&text).unwrap()),
        // Nothing was sent, and the error says why.
        Err(_) => assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{}", stdout(&output)),
    }
    output
}

/// Runs the command against `url` and reads its report, whose ledger must add up.
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

/// Checks that `scheduled` is the sum of all outcomes.
pub fn ledger_adds_up(report: &serde_json::Value) {
    let ledger = &report["ledger"];
    let of = |name: &str| ledger[name].as_u64().unwrap();
    let parts = ["expected", "unexpected", "transport_errors", "local_errors", "shed", "unfinished"];
    assert_eq!(of("scheduled"), parts.map(of).iter().sum::<u64>(), "{ledger}");
}

/// Checks the same in the summary, which shows ` = ` only when the sum is right.
pub fn summary_adds_up(output: &Output) {
    let text = stdout(output);
    assert!(text.contains(" scheduled = "), "{text}{}", stderr(output));
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}
