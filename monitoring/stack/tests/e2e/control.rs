//! Healthy traffic fires nothing; an error storm from `loadgen run` fires HighErrorRate.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{self, Bed, FAST};

#[tokio::test]
async fn only_an_error_storm_fires_high_error_rate() {
    let bed = Bed::start(FAST).await;
    let alerts = format!("{}/api/v1/alerts", bed.stack.url("prometheus"));
    let firing = || async {
        let alerts = support::get_json(&alerts).await?;
        let names = alerts["data"]["alerts"].as_array()?.iter().filter(|alert| alert["state"] == "firing");
        Some(
            names
                .filter_map(|alert| alert["labels"]["alertname"].as_str().map(str::to_owned))
                .collect::<Vec<_>>(),
        )
    };

    // Longer than the widest window (5 m / 60) and the longest `for` (2 m / 60) together.
    let mut steady = support::loadgen();
    steady.args(["run", bed.stack.url("api"), "--pattern", "steady", "-z", "12s", "--no-tui"]);
    let output = support::finish(steady, Duration::from_secs(60)).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(firing().await.unwrap(), ["Watchdog"]);

    let mut storm = support::loadgen();
    storm.args(["run", bed.stack.url("api"), "--pattern", "error-storm", "-z", "60s", "--no-tui"]);
    let storm = storm.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    support::eventually("HighErrorRate firing", Duration::from_secs(50), || async {
        firing().await?.iter().any(|name| name == "HighErrorRate").then_some(())
    })
    .await;
    support::signal(&storm, Signal::SIGINT);
    let output =
        tokio::time::timeout(Duration::from_secs(20), storm.wait_with_output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(
        text.contains("500") && text.contains("p99"),
        "the partial report has statuses and latencies: {text}"
    );
    bed.stack.stop().await;
}
