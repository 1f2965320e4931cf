//! Redis killed under load: the gateway keeps serving.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{self, Bed, FAST};

#[tokio::test]
async fn without_redis_the_api_keeps_serving_and_is_degraded() {
    let mut bed = Bed::start(FAST).await;
    let health = format!("{}/health", bed.stack.url("api"));
    let (status, body) = support::get(&health).await.unwrap();
    assert_eq!(status, 200);
    assert!(body.contains("\"ok\"") && !body.contains("degraded"), "{body}");

    let report = bed.dir.path().join("run.json");
    let mut command = support::loadgen();
    command
        .args([
            "run",
            &format!("{}/api/users", bed.stack.url("api")),
            "-q",
            "60",
            "-z",
            "6s",
            "--no-tui",
            "--out",
        ])
        .arg(&report);
    let load = tokio::spawn(support::finish(command, Duration::from_secs(60)));
    let metrics = format!("{}/metrics", bed.stack.url("api"));
    support::eventually("traffic", Duration::from_secs(10), || async {
        let (_, text) = support::get(&metrics).await?;
        text.lines()
            .any(|line| {
                line.starts_with("rate_limit_decisions_total{")
                    && line.contains("redis")
                    && !line.ends_with(" 0")
            })
            .then_some(())
    })
    .await;
    bed.stack.signal("redis", Signal::SIGKILL);

    support::eventually("degraded", Duration::from_secs(10), || async {
        let (status, body) = support::get(&health).await?;
        (status == 200 && body.contains("degraded")).then_some(())
    })
    .await;
    let output = load.await.unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let run: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!(run["ledger"]["scheduled"], 360, "{text}");
    assert_eq!(run["ledger"]["expected"], 360, "every response is 2xx: {text}");
    assert_eq!(run["statuses"]["200"], 360, "{text}");
    bed.stack.stop().await;
}
