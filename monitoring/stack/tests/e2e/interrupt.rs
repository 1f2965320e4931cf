//! Ctrl-C in each phase of a drill: partial results, exit code 130, and no further requests.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::{self, Bed, FAST};

/// Requests completed by the gateway under /api, from its metrics.
async fn responses(bed: &Bed) -> f64 {
    let (_, text) = support::get(&format!("{}/metrics", bed.stack.url("api"))).await.unwrap();
    text.lines()
        .filter(|line| line.starts_with("http_requests_total{") && line.contains("route=\"/api/"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// Whether Prometheus has no active alerts except those of a stack without traffic: others make a drill REFUSED.
async fn quiet(bed: &Bed) -> Option<()> {
    let alerts = support::get_json(&format!("{}/api/v1/alerts", bed.stack.url("prometheus"))).await?;
    let active = alerts["data"]["alerts"]
        .as_array()?
        .iter()
        .any(|alert| !matches!(alert["labels"]["alertname"].as_str(), Some("Watchdog" | "APINoTraffic")));
    (!active).then_some(())
}

/// Starts the drill, interrupts it when it reports `phase`, and returns its output.
async fn interrupted_in(bed: &Bed, phase: &str) -> String {
    let mut command = bed.drill(&[&support::drills().join("high-error-rate.yaml")]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut printed = String::new();
    let reached = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            printed += &format!("{line}\n");
            if line.contains(&format!("high-error-rate: {phase}")) {
                return;
            }
        }
        panic!("it never reached {phase}");
    };
    tokio::time::timeout(Duration::from_secs(90), reached)
        .await
        .unwrap_or_else(|_| panic!("no {phase} in time"));
    support::signal(&child, Signal::SIGINT);
    let output =
        tokio::time::timeout(Duration::from_secs(20), child.wait_with_output()).await.unwrap().unwrap();
    printed += &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "in {phase}: {printed}");
    printed
}

#[tokio::test]
async fn ctrl_c_in_any_phase_of_a_drill_leaves_nothing_running() {
    let bed = Bed::start(FAST).await;
    for phase in ["preflight", "baseline", "pending", "firing", "notified", "resolved", "all_clear"] {
        let printed = interrupted_in(&bed, phase).await;
        assert!(printed.contains("HighErrorRate"), "partial results in {phase}: {printed}");
        let report = std::fs::read_to_string(bed.report_path()).unwrap();
        assert!(report.contains("\"interrupted\""), "the report is written in {phase}: {report}");

        // All requests of the drill are completed by now; the count must not change any more.
        let settled = responses(&bed).await;
        tokio::time::sleep(Duration::from_millis(500)).await; // time for further traffic to show
        assert_eq!(responses(&bed).await, settled, "requests are still sent after {phase}");
        support::eventually("the alerts to be over", Duration::from_secs(90), || quiet(&bed)).await;
    }
    bed.stack.stop().await;
}
