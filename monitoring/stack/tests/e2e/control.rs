//! Healthy traffic fires nothing and gives every documented query a number; an error storm from `loadgen run` fires
//! HighErrorRate.

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
    every_documented_query_returns_numbers(bed.stack.url("prometheus")).await;

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

/// Every query of the metrics page has a result, and every value of it is a number.
async fn every_documented_query_returns_numbers(prometheus: &str) {
    let page =
        std::fs::read_to_string(process::program::repository().join("docs/reference/metrics.md")).unwrap();
    let block = page.split_once("```promql\n").unwrap().1.split_once("```").unwrap().0;
    let queries: Vec<&str> =
        block.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(queries.len() > 10, "{queries:?}");
    for query in queries {
        let url = reqwest::Url::parse_with_params(&format!("{prometheus}/api/v1/query"), [("query", query)]);
        let body = support::get_json(url.unwrap().as_str()).await.unwrap();
        let result = body["data"]["result"].as_array().unwrap_or_else(|| panic!("{query}: {body}"));
        assert!(!result.is_empty(), "{query}: no result");
        for sample in result {
            let value: f64 = sample["value"][1].as_str().unwrap().parse().unwrap();
            assert!(value.is_finite(), "{query}: {sample}");
        }
    }
}
