//! The notifications of each channel, from a real Alertmanager with the shipped templates: within the limits of the
//! service, readable, with valid links. The inbox rejects what the service would reject, so listed messages were
//! accepted.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{self, Bed, FAST};

const CHANNELS: [&str; 5] = ["webhook", "slack", "discord", "pagerduty", "email"];

/// The message of `alert` with `status` on each channel, once all have it.
async fn messages(bed: &Bed, alert: &str, status: &str) -> Vec<(&'static str, Value)> {
    let url = format!("{}/notifications", bed.stack.url("inbox"));
    support::eventually(&format!("{alert} {status} on every channel"), Duration::from_secs(90), || async {
        let all = support::get_json(&url).await?;
        let found = |channel: &&'static str| {
            let one = all["notifications"].as_array()?.iter().find(|it| {
                it["channel"] == **channel && it["status"] == status && it["alerts"][0]["alert"] == alert
            })?;
            Some((*channel, one["body"].clone()))
        };
        CHANNELS.iter().map(found).collect::<Option<Vec<_>>>()
    })
    .await
}

/// All texts of a message that are visible to a reader.
fn texts(body: &Value) -> String {
    match body {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(texts).collect::<Vec<_>>().join("\n"),
        Value::Object(map) => map.values().map(texts).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

/// Every http URL in a text, without the markup of Slack, Markdown and HTML.
fn links(text: &str) -> BTreeSet<String> {
    let ends = |c: char| c.is_whitespace() || "<>|)\"'".contains(c);
    text.match_indices("http://").map(|(at, _)| text[at..].split(ends).next().unwrap().to_owned()).collect()
}

fn dashboards() -> BTreeSet<String> {
    let folder = process::program::repository().join("grafana/dashboards");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let boards = files.filter(|path| path.extension().is_some_and(|it| it == "json"));
    let uid = |path| {
        let board: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        board["uid"].as_str().unwrap().to_owned()
    };
    boards.map(uid).collect()
}

#[tokio::test]
async fn each_receiver_gets_a_readable_message_with_valid_links() {
    let bed = Bed::start(FAST).await;
    let drill = std::fs::read_to_string(support::drills().join("critical-error-rate.yaml")).unwrap();
    let finished = bed.run_drill(&drill).await;
    for status in ["firing", "resolved"] {
        for (channel, body) in messages(&bed, "CriticalErrorRate", status).await {
            let text = texts(&body);
            let message = format!("{channel} {status}: {body:#}\n{}", finished.text);
            assert!(text.contains("At least 10% of API requests fail with a server error"), "{message}");
            assert!(text.contains("of the requests to api in the last"), "{message}");
            assert!(!text.contains("<no value>") && !text.contains("{{"), "{message}");
            let links = links(&text);
            let runbook = links.iter().find(|link| link.ends_with("/runbooks/CriticalErrorRate"));
            let (code, runbook) = support::get(runbook.expect(&message)).await.expect(&message);
            assert!(code == 200 && runbook.starts_with("# CriticalErrorRate"), "{message}");
            let dashboard = links.iter().find_map(|link| link.split_once("/d/")).expect(&message).1;
            assert!(dashboards().contains(dashboard), "{dashboard}: {message}");
            for link in links.iter().filter(|link| link.contains("/#/alerts?receiver=")) {
                assert!(link.starts_with(bed.stack.url("alertmanager")), "{message}");
            }
        }
    }
    bed.stack.stop().await;
}

/// Texts beyond every limit, with every markup character.
fn long_alerts(count: usize) -> Value {
    let marks = "5 * 3 < 4 & \"q\" `c` _u_ ~n~ |p| [x](http://elsewhere.example) <!channel> ä你🔥 \\ {{ .X }} </p><script> ";
    let alert = |number: usize| {
        json!({
            "labels": {"alertname": "Long", "severity": "critical", "job": "shop", "instance": format!("host-{number}:1")},
            "annotations": {
                "summary": format!("{number} {}", marks.repeat(10)),
                "description": marks.repeat(100),
                "runbook_url": "http://127.0.0.1:1/runbooks/Long?a=1&b=(2)",
                "dashboard_url": "http://127.0.0.1:1/d/long",
            },
        })
    };
    (0..count).map(alert).collect()
}

#[tokio::test]
async fn many_alerts_with_long_texts_stay_within_the_limits_of_each_service() {
    let bed = Bed::start(FAST).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/api/v2/alerts", bed.stack.url("alertmanager"));
    let posted = http.post(url).json(&long_alerts(60)).send().await.unwrap();
    assert_eq!(posted.status().as_u16(), 200);
    for (channel, body) in messages(&bed, "Long", "firing").await {
        let attachment = |key: &str| body["attachments"][0][key].as_str().unwrap();
        let message = format!("{channel}: {body:#}");
        match channel {
            "slack" => {
                let text = attachment("text");
                // A block's limit; an attachment is cut by Slack at 8000.
                assert!(text.chars().count() <= 3_000, "{} {message}", text.chars().count());
                assert!(text.contains("5 * 3 &lt; 4 &amp;") && !text.contains("<!"), "{message}");
                assert!(
                    text.contains("<http://127.0.0.1:1/runbooks/Long?a=1&amp;b=(2)|Runbook>"),
                    "{message}"
                );
                assert!(text.contains("…") && text.contains("and 57 more: <http"), "{message}");
                assert_eq!(attachment("title"), "[FIRING:60] Long (critical)");
            }
            "discord" => {
                let text = attachment("text");
                assert!(text.chars().count() <= 3_500, "{} {message}", text.chars().count());
                assert!(text.contains(r"5 \* 3 \< 4 &") && text.contains(r"\[x\]\(http"), "{message}");
                assert!(
                    text.contains("[Runbook](http://127.0.0.1:1/runbooks/Long?a=1&b=%282%29)"),
                    "{message}"
                );
                assert!(text.contains("and 57 more: [all of them](http"), "{message}");
            }
            "pagerduty" => {
                let summary = body["payload"]["summary"].as_str().unwrap();
                assert!(
                    summary.starts_with("[FIRING:60] Long (critical): ")
                        && summary.ends_with("…, and others")
                );
                assert!(summary.chars().count() <= 300, "{message}");
                let details = &body["payload"]["custom_details"];
                assert!(details["firing"].as_str().unwrap().contains("and 40 more"), "{message}");
                assert!(body.to_string().len() < 50_000, "{message}");
            }
            "email" => {
                assert!(body["subject"].as_str().unwrap().chars().count() <= 300, "{message}");
                let html = body["html"].as_str().unwrap();
                assert!(html.contains("and 40 more") && html.contains("&lt;script&gt;"), "{message}");
                assert!(!html.contains("<script") && html.len() < 100_000, "{message}");
            }
            _ => {
                assert_eq!(
                    (body["alerts"].as_array().unwrap().len(), &body["truncatedAlerts"]),
                    (50, &json!(10))
                );
            }
        }
    }
    let (_, metrics) = support::get(&format!("{}/metrics", bed.stack.url("inbox"))).await.unwrap();
    for channel in CHANNELS {
        let none = format!("inbox_bad_requests_total{{channel=\"{channel}\"}} 0\n");
        assert!(metrics.contains(&none), "{metrics}");
    }
    bed.stack.stop().await;
}
