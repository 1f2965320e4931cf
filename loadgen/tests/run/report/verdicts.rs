//! Verdicts: thresholds, deadline, warm-up, and their exit codes.

use std::io::Write;
use std::time::Duration;

use crate::command::{loadgen, report_of, stderr, stdout};
use crate::server::{Server, Then};

#[test]
fn reports_met_and_crossed_thresholds() {
    let server = Server::gateway();
    let url = server.url("/");
    let fine = [
        "-q",
        "200",
        "-n",
        "100",
        "--threshold",
        "max<1h",
        "--threshold",
        "failed<=0",
        "--threshold",
        "rate>1/s",
    ];
    let (output, report) = report_of(&url, &fine);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let held = report["thresholds"].as_array().unwrap();
    assert_eq!(held.len(), 3);
    assert!(held.iter().all(|held| held["ok"] == true), "{held:?}");
    assert_eq!((&held[1]["value"], &held[1]["unit"]), (&0.0.into(), &"ratio".into()));

    let (output, report) = report_of(&url, &["-q", "200", "-n", "100", "--threshold", "p50<1us"]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    assert!(stdout(&output).contains("THRESHOLD crossed: p50<1us (is "), "{}", stdout(&output));
    assert_eq!(report["thresholds"][0]["ok"], false);
    assert_eq!(report["ended_early_by"], serde_json::Value::Null);
}

#[test]
fn threshold_tolerates_failures_below_it() {
    let server = Server::start(|stream, request| {
        let status = if request.number % 10 == 9 { "503 Busy" } else { "200 OK" };
        let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        Then::KeepOpen
    });
    let url = server.url("/");
    let with = |threshold: &str| {
        loadgen(&[url.as_str(), "-q", "200", "-n", "100", "--threshold", threshold]).status.code()
    };
    assert_eq!(with("max<1h"), Some(1), "a latency threshold tolerates no failures");
    assert_eq!(with("failed<=20%"), Some(0));
    assert_eq!(with("unexpected<=20%"), Some(0));
    assert_eq!(with("errors<=20%"), Some(1));
    assert_eq!(with("failed<1%"), Some(3));
}

#[test]
fn crossed_threshold_can_end_the_run() {
    let server = Server::gateway();
    let more =
        ["-q", "200", "-z", "10m", "--expect-status", "404", "--threshold", "failed<1%", "--abort-on-fail"];
    let (output, report) = report_of(&server.url("/"), &more);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    assert!(stdout(&output).contains("ended early by --abort-on-fail"), "{}", stdout(&output));
    assert_eq!(report["ended_early_by"], "threshold");
    assert!(report["ledger"]["unexpected"].as_u64().unwrap() >= 100, "{}", report["ledger"]);
    assert!(report["elapsed_seconds"].as_f64().unwrap() < 300.0);
}

#[test]
fn deadline_ends_the_run() {
    let server = Server::silent();
    let (output, report) = report_of(&server.url("/"), &["-q", "50", "-n", "20", "--deadline", "1s"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stdout(&output).contains("ended early by --deadline"), "{}", stdout(&output));
    assert_eq!(
        (&report["ended_early_by"], &report["ledger"]["unfinished"]),
        (&"deadline".into(), &20.into())
    );
}

#[test]
fn warm_up_is_counted_separately() {
    let server = Server::start(|stream, request| {
        // The first twenty responses are slow, as with cold caches.
        if request.number < 20 {
            std::thread::sleep(Duration::from_millis(400));
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Then::KeepOpen
    });
    let (output, report) = report_of(&server.url("/"), &["-q", "40", "-n", "30", "--warmup", "1s"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(server.requests(), 70);
    assert_eq!(
        (&report["ledger"]["expected"], &report["warmup"]["ledger"]["expected"]),
        (&30.into(), &40.into())
    );
    assert_eq!(report["latency_seconds"]["response"]["count"], 30);
    assert!(report["latency_seconds"]["response"]["p50"].as_f64().unwrap() < 0.4);
    assert!(stderr(&output).contains("warmed up with 40 requests in 1s"), "{}", stderr(&output));
}
