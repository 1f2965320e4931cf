//! Unwritable standard streams do not change the exit code.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::command::{LENIENT, LOADGEN, ledger_adds_up};
use crate::server::Server;

/// A stream where every write fails, as on a full disk.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

fn exit_code(args: &[&str]) -> Option<i32> {
    Command::new(LOADGEN).args(args).stdout(full()).stderr(full()).status().unwrap().code()
}

#[test]
fn subcommands_keep_their_exit_code_with_unwritable_streams() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (scaled, json) = (file("scaled"), file("no/such/folder.json"));
    let monitoring = concat!(env!("CARGO_MANIFEST_DIR"), "/../monitoring");
    let drills = concat!(env!("CARGO_MANIFEST_DIR"), "/../drills/high-error-rate.yaml");
    for (args, code) in [
        (&["run", "localhost:8000"][..], 2),
        (&["run", "http://127.0.0.1:1/", "-q", "100", "-n", "3", LENIENT[0], LENIENT[1]], 1),
        (&["report", "/no/such/report.json"], 2),
        (&["patterns"], 0),
        (&["drill", "/no/such/drill.yaml"], 2),
        (&["drill", drills, "--json", &json], 2),
        (&["coverage", "--rules", "/no/such/rules"], 2),
        (&["inbox", "--listen", "192.0.2.1:1"], 2),
        (&["scale", monitoring, "--by", "20", "--out", &scaled], 0),
        (&["scale", "/no/such/folder", "--by", "20", "--out", &scaled], 2),
    ] {
        assert_eq!(exit_code(args), Some(code), "{args:?}");
    }
}

#[test]
fn writes_the_report_when_the_summary_cannot_be_written() {
    let server = Server::gateway();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let url = server.url("/");
    let args = ["run", url.as_str(), "-q", "100", "-n", "30", "--out", out.to_str().unwrap()];
    assert_eq!(exit_code(&[&args[..], &LENIENT].concat()), Some(0));
    ledger_adds_up(&serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap());
}
