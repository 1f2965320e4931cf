//! Inhibition with the shipped routes: an inhibited alert is not notified, not even afterwards.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{self, Bed};

const SCALE: f64 = 20.0;
/// Not a target of the stack, so Prometheus itself sends nothing about alerts with this label, not even an all-clear.
const INSTANCE: &str = "192.0.2.1:80";
/// Wait after the last notification: the longest group interval of the routes, five minutes, scaled, plus two seconds.
const LAST_WORD: Duration = Duration::from_secs(17);

/// Alertmanager's alerts: (name, names of those that inhibit it).
async fn held(bed: &Bed) -> Option<Vec<(String, Vec<String>)>> {
    let alerts = support::get_json(&format!("{}/api/v2/alerts", bed.stack.url("alertmanager"))).await?;
    let alerts = alerts.as_array()?.clone();
    let name = |alert: &Value| alert["labels"]["alertname"].as_str().unwrap_or_default().to_owned();
    let by = |fingerprint: &Value| {
        let found = alerts.iter().find(|alert| alert["fingerprint"] == *fingerprint);
        found.map_or_else(|| fingerprint.to_string(), name)
    };
    let inhibitors =
        |alert: &Value| alert["status"]["inhibitedBy"].as_array().into_iter().flatten().map(by).collect();
    Some(alerts.iter().map(|alert| (name(alert), inhibitors(alert))).collect())
}

/// Every notification of the inbox.
async fn arrived(bed: &Bed) -> Vec<Value> {
    let arrived = support::get_json(&format!("{}/notifications", bed.stack.url("inbox"))).await.unwrap();
    let notifications = arrived["notifications"].as_array().unwrap().clone();
    notifications.iter().flat_map(|it| it["alerts"].as_array().cloned().unwrap_or_default()).collect()
}

/// The notifications of the inbox: (alert, status).
async fn notified(bed: &Bed) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    arrived(bed).await.iter().map(|alert| (text(&alert["alert"]), text(&alert["status"]))).collect()
}

/// Waits until only the heartbeat fires in a new stack: at this scale Prometheus needs longer to discover its targets
/// than a target may be missing.
async fn quiet(bed: &Bed) {
    support::eventually("nothing but the heartbeat", Duration::from_secs(60), || async {
        held(bed).await?.iter().all(|(name, _)| name == "Watchdog").then_some(())
    })
    .await;
}

/// Posts alerts with these labels to Alertmanager like Prometheus, starting at `starts` and ending in ten minutes or
/// now.
async fn post(bed: &Bed, alerts: &[Value], starts: &str, over: bool) {
    let ends = if over { date("now").await } else { date("10 minutes").await };
    let alert = |labels: &Value| json!({"labels": labels, "startsAt": starts, "endsAt": ends});
    let body: Vec<_> = alerts.iter().map(alert).collect();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    let url = format!("{}/api/v2/alerts", bed.stack.url("alertmanager"));
    let response = client.post(url).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

/// A time in the syntax of `date`, as RFC 3339.
async fn date(when: &str) -> String {
    let arguments = ["-u", "-d", when, "+%Y-%m-%dT%H:%M:%S.%NZ"];
    let output = tokio::process::Command::new("date").args(arguments).output().await.unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The labels of the alerts of a service, as for one target.
async fn alerts_of(bed: &Bed, service: &str, job: &str) -> Vec<Value> {
    let rules =
        support::get_json(&format!("{}/api/v1/rules?type=alert", bed.stack.url("prometheus"))).await.unwrap();
    let groups = rules["data"]["groups"].as_array().unwrap().clone();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default());
    rules
        .filter(|rule| rule["labels"]["service"] == service)
        .map(|rule| {
            let mut labels = rule["labels"].clone();
            labels["alertname"] = rule["name"].clone();
            labels["job"] = job.into();
            labels["instance"] = INSTANCE.into();
            labels
        })
        .collect()
}

fn names(alerts: &[Value]) -> BTreeSet<String> {
    alerts.iter().map(|labels| labels["alertname"].as_str().unwrap().to_owned()).collect()
}

/// `source` fires, inhibits every other alert of its service, and none of them is notified until all have resolved.
async fn silences(bed: &Bed, source: &str, service: &str, job: &str) {
    let all = alerts_of(bed, service, job).await;
    let (first, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|labels| labels["alertname"] == source);
    assert!(first.len() == 1 && others.len() > 3, "{source}: {others:?}");
    let speaks = |status: &'static str| async move {
        let ours = |alert: &Value| alert["labels"]["instance"] == INSTANCE && alert["alert"] == source;
        arrived(bed).await.iter().any(|alert| ours(alert) && alert["status"] == status).then_some(())
    };
    let starts = date("now").await;
    post(bed, &first, &starts, false).await;
    support::eventually("the first is notified", Duration::from_secs(20), || speaks("firing")).await;
    post(bed, &others, &starts, false).await;
    support::eventually("all are inhibited", Duration::from_secs(20), || async {
        let held = held(bed).await?;
        // Alertmanager names only one of several inhibitors: it may be the critical alert on the same symptom.
        let inhibited = held.iter().filter(|(_, by)| !by.is_empty());
        let inhibited: BTreeSet<_> = inhibited.map(|(name, _)| name.clone()).collect();
        inhibited.is_superset(&names(&others)).then_some(())
    })
    .await;
    tokio::time::sleep(LAST_WORD).await; // time for a notification about them
    post(bed, &others, &starts, true).await;
    post(bed, &first, &starts, true).await;
    support::eventually("the all-clear is sent", Duration::from_secs(20), || speaks("resolved")).await;
    tokio::time::sleep(LAST_WORD).await; // time for a late notification
    let heard: Vec<_> =
        notified(bed).await.into_iter().filter(|(name, _)| names(&others).contains(name)).collect();
    assert!(heard.is_empty(), "beside {source}: {heard:?}");
}

#[tokio::test]
async fn a_service_that_is_down_silences_its_other_alerts() {
    let bed = Bed::start(SCALE).await;
    quiet(&bed).await;
    tokio::join!(silences(&bed, "APIDown", "api", "api"), silences(&bed, "RedisDown", "redis", "redis"));
    bed.stack.stop().await;
}

#[tokio::test]
async fn errors_before_an_outage_are_not_notified_during_it() {
    let mut bed = Bed::start(SCALE).await;
    let state = format!("{}/api/v1/alerts", bed.stack.url("prometheus"));
    let active = || async {
        let alerts = support::get_json(&state).await?;
        let alerts = alerts["data"]["alerts"].as_array()?.clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some(
            alerts
                .iter()
                .map(|it| (text(&it["labels"]["alertname"]), text(&it["state"])))
                .collect::<BTreeSet<_>>(),
        )
    };
    quiet(&bed).await;
    // Healthy traffic fills the rule's window of 15 s first, so that a few seconds of errors keep the alert active
    // although the last error was long before.
    let mut healthy = support::loadgen();
    let users = format!("{}/api/users", bed.stack.url("api"));
    let healthy = healthy.args(["run", &users, "-q", "40", "-z", "16s", "--no-tui"]);
    let healthy = tokio::time::timeout(Duration::from_secs(40), healthy.output()).await.unwrap().unwrap();
    assert!(healthy.status.success(), "{}", String::from_utf8_lossy(&healthy.stderr));
    let mut storm = support::loadgen();
    storm.args(["run", bed.stack.url("api"), "--pattern", "error-storm", "-z", "60s", "--no-tui"]);
    let mut storm = storm.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    support::eventually("HighErrorRate pending", Duration::from_secs(50), || async {
        active().await?.contains(&("HighErrorRate".into(), "pending".into())).then_some(())
    })
    .await;
    bed.stack.signal("api", Signal::SIGKILL);
    let mut seen = Vec::new();
    let inhibited = async {
        loop {
            // Alertmanager names only one of several inhibitors.
            seen = held(&bed).await.unwrap_or_default();
            let down = seen.iter().any(|(name, _)| name == "APIDown");
            if down && seen.iter().any(|(name, by)| name == "HighErrorRate" && !by.is_empty()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(40), inhibited).await;
    assert!(waited.is_ok(), "not inhibited within 40 s: {seen:?}, {:?}", active().await);
    storm.kill().await.unwrap();
    // The errors leave the window of the rule while the API is still down.
    support::eventually("HighErrorRate over", Duration::from_secs(40), || async {
        (!active().await?.iter().any(|(name, _)| name == "HighErrorRate")).then_some(())
    })
    .await;
    tokio::time::sleep(LAST_WORD).await; // time for a late notification
    let notified = notified(&bed).await;
    assert!(notified.contains(&("APIDown".into(), "firing".into())), "{notified:?}");
    assert!(!notified.iter().any(|(name, _)| name == "HighErrorRate"), "{notified:?}");
    bed.stack.stop().await;
}
