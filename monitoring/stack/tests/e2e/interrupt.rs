//! Ctrl-C in each phase of a drill: partial results, exit 130, and no request is sent any more.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{self, Bed, DEMO};

/// Requests the gateway has answered under /api, from its own metrics.
async fn answered(bed: &Bed) -> f64 {
    let (_, text) = support::get(&format!("{}/metrics", bed.stack.url("api"))).await.unwrap();
    text.lines()
        .filter(|line| line.starts_with("http_requests_total{") && line.contains("route=\"/api/"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// Whether the alert is in this state, as Prometheus says.
async fn alert_is(bed: &Bed, state: &str) -> Option<()> {
    let alerts = support::get_json(&format!("{}/api/v1/alerts", bed.stack.url("prometheus"))).await?;
    let found = alerts["data"]["alerts"]
        .as_array()?
        .iter()
        .any(|alert| alert["labels"]["alertname"] == "HighErrorRate" && alert["state"] == state);
    found.then_some(())
}

#[tokio::test]
async fn ctrl_c_in_any_phase_of_a_drill_leaves_nothing_running() {
    let bed = Bed::start(DEMO).await;
    let file = support::drills().join("high-error-rate.yaml");
    let limit = Duration::from_secs(90);
    for phase in ["baseline", "pending", "firing"] {
        let before = answered(&bed).await;
        let mut command = bed.drill(&[&file]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        match phase {
            "baseline" => {
                support::eventually("baseline traffic", limit, || async {
                    (answered(&bed).await > before + 10.0).then_some(())
                })
                .await;
            }
            state => support::eventually(state, limit, || alert_is(&bed, state)).await,
        }
        support::signal(&child, Signal::SIGINT);
        let output =
            tokio::time::timeout(Duration::from_secs(20), child.wait_with_output()).await.unwrap().unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "in {phase}: {text}");
        assert!(text.contains("HighErrorRate"), "partial results in {phase}: {text}");

        // Everything the drill sent has been answered by now; from here on the count stands still.
        let settled = answered(&bed).await;
        tokio::time::sleep(Duration::from_millis(500)).await; // the time in which traffic, if any, would show
        assert_eq!(answered(&bed).await, settled, "after {phase} somebody still sends");
        support::eventually("the alert to be over", limit, || async {
            let alerts = support::get_json(&format!("{}/api/v1/alerts", bed.stack.url("prometheus"))).await?;
            let quiet = !alerts["data"]["alerts"]
                .as_array()?
                .iter()
                .any(|alert| alert["labels"]["alertname"] == "HighErrorRate");
            quiet.then_some(())
        })
        .await;
    }
    bed.stack.stop().await;
}
