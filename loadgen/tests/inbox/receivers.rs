//! Discord, PagerDuty, mail and heartbeat receivers, injected failures, and served proofs and runbooks.

use std::time::Duration;

use common::proof::{self, Proof};
use inbox::Config;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::running::{Running, slack, webhook};

fn event(action: &str) -> String {
    json!({"routing_key": "0".repeat(32), "event_action": action, "dedup_key": "k",
        "payload": {"summary": "[FIRING:1] APIDown (critical)", "source": "am", "severity": "critical"}})
    .to_string()
}

#[tokio::test]
async fn discord_and_pagerduty_respond_like_the_services() {
    let inbox = Running::start(10, None);
    let own = json!({"content": "[FIRING:1] APIDown (critical)"}).to_string();
    assert_eq!(inbox.post("/discord", own).await, (204, String::new()));
    let mut as_slack = slack("[RESOLVED:1] APIDown (critical)");
    assert_eq!(
        inbox.post("/discord/slack", as_slack.to_string()).await.0,
        400,
        "a colour that only Slack accepts"
    );
    as_slack["attachments"][0]["color"] = json!("#2eb67d");
    assert_eq!(inbox.post("/discord/slack", as_slack.to_string()).await, (200, "ok".into()));
    let (status, body) = inbox.post("/pagerduty", event("trigger")).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["status"], &body["dedup_key"]), (202, &json!("success"), &json!("k")));
    let (status, body) = inbox.post("/pagerduty", event("burn")).await;
    assert!(status == 400 && body.contains("Event object is invalid"), "{status} {body}");
    assert_eq!(inbox.post("/discord", "{}").await.0, 400);
    let all = inbox.notifications(0).await;
    let seen: Vec<_> = all.iter().map(|it| (it.channel.as_str(), it.status.as_str())).collect();
    assert_eq!(seen, [("discord", "firing"), ("discord", "resolved"), ("pagerduty", "firing")]);
    assert!(all.iter().all(|it| it.alerts[0].alert == "APIDown"));
    inbox.stop().await;
}

/// Fields and blocks count as content of a message, and their published limits apply.
#[tokio::test]
async fn services_apply_their_published_limits() {
    let inbox = Running::start(10, None);
    let field = json!({"title": "Alert", "value": "[FIRING:1] APIDown", "short": true});
    let section = json!({"type": "section", "text": {"type": "mrkdwn", "text": "[FIRING:1] APIDown"}});
    let taken = [
        ("/slack", json!({"attachments": [{"fields": [field]}]})),
        ("/slack", json!({"attachments": [{"color": "#f00", "blocks": [section]}]})),
        ("/discord", json!({"embeds": [{"fields": [{"name": "Alert", "value": "[FIRING:1] APIDown"}]}]})),
    ];
    for (path, body) in &taken {
        let (status, reason) = inbox.post(path, body.to_string()).await;
        assert!(status == 200 || status == 204, "{path}: {status} {reason}: {body}");
    }
    let header = json!({"type": "header", "text": {"type": "plain_text", "text": "x".repeat(151)}});
    let fields = vec![json!({"type": "mrkdwn", "text": "x"}); 11];
    let mut event: Value = serde_json::from_str(&event("trigger")).unwrap();
    event["images"] = json!([{"src": ""}]);
    for (path, body) in [
        ("/slack", json!({"blocks": [header]})),
        ("/slack", json!({"attachments": [{"blocks": [{"type": "section", "fields": fields}]}]})),
        ("/pagerduty", event),
    ] {
        assert_eq!(inbox.post(path, body.to_string()).await.0, 400, "{path}: {body}");
    }
    let all = inbox.notifications(0).await;
    assert_eq!(all.iter().filter(|it| it.alerts[0].alert == "APIDown").count(), taken.len());
    inbox.stop().await;
}

/// Alertmanager sends a group of thousands of alerts in one body.
#[tokio::test]
async fn webhook_may_be_larger_than_a_message() {
    let inbox = Running::start(10, None);
    let alerts = |count: usize| {
        let mut body = webhook("firing", "APIDown");
        body["alerts"] = json!(vec![body["alerts"][0].clone(); count]);
        body.to_string()
    };
    let large = alerts(5_000);
    assert!(large.len() > inbox::BODY_LIMIT, "{}", large.len());
    assert_eq!(inbox.post("/webhook", large).await.0, 200);
    assert_eq!(inbox.notifications(0).await[0].alerts.len(), 5_000);
    let (status, reason) = inbox.post("/webhook", " ".repeat(inbox::WEBHOOK_LIMIT + 1)).await;
    assert!(
        status == 413 && reason.contains("16777216") && reason.contains("--webhook-mib"),
        "{status} {reason}"
    );
    inbox.stop().await;
}

/// Sends each line and returns the reply codes, starting with the greeting.
async fn talk(address: &str, lines: &[&str]) -> Vec<String> {
    let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
    let mut replies = Vec::new();
    for line in [None].into_iter().chain(lines.iter().map(Some)) {
        if let Some(line) = line {
            stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        }
        let mut reply = String::new();
        loop {
            let mut part = String::new();
            let read = stream.read_line(&mut part);
            tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
            reply.push_str(&part);
            if part.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        }
        replies.push(reply[..3].to_owned());
    }
    replies
}

const MAIL: &str = "From: a@b.example\r\nTo: c@d.example\r\nDate: Mon, 04 May 2026 12:00:00 +0000\r\n\
                    Subject: [FIRING:1] APIDown (critical)\r\n\r\n..dot\r\n.";

/// Alertmanager uses the first mechanism it supports, and PLAIN sends no password to other hosts without TLS.
#[tokio::test]
async fn offers_login_before_plain() {
    let inbox = Running::start(10, None);
    let mut stream = BufReader::new(TcpStream::connect(&inbox.smtp_address).await.unwrap());
    stream.get_mut().write_all(b"EHLO am\r\nQUIT\r\n").await.unwrap();
    let mut said = String::new();
    let read = tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut said);
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
    assert!(said.contains("250-AUTH LOGIN PLAIN\r\n"), "{said}");
    inbox.stop().await;
}

#[tokio::test]
async fn accepts_mail_only_after_auth() {
    let inbox = Running::start(10, None);
    let before = ["EHLO am", "MAIL FROM:<a@b.example>"];
    assert_eq!(talk(&inbox.smtp_address, &before).await, ["220", "250", "530"]);
    // \0user\0password
    let lines = [
        "EHLO am",
        "AUTH PLAIN AHVzZXIAcGFzc3dvcmQ=",
        "MAIL FROM:<a@b.example>",
        "RCPT TO:<c@d.example>",
        "DATA",
        MAIL,
        "QUIT",
    ];
    let replies = talk(&inbox.smtp_address, &lines).await;
    assert_eq!(replies, ["220", "250", "235", "250", "250", "354", "250", "221"]);
    let login = ["EHLO am", "AUTH LOGIN", "dXNlcg==", "cGFzc3dvcmQ=", "AUTH PLAIN AAA=", "BURN", "DATA"];
    let replies = talk(&inbox.smtp_address, &login).await;
    assert_eq!(replies, ["220", "250", "334", "334", "235", "535", "500", "503"]);

    let all = inbox.notifications(0).await;
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].channel.as_str(), all[0].alerts[0].alert.as_str()), ("email", "APIDown"));
    assert_eq!((&all[0].body["user"], &all[0].body["to"]), (&json!("user"), &json!(["c@d.example"])));
    assert_eq!(all[0].body["text"], ".dot\r\n", "the doubled dot is unescaped");
    inbox.stop().await;
}

/// A message that one server reads as two can carry a second one past its checks.
#[tokio::test]
async fn only_crlf_ends_a_line_of_mail() {
    let inbox = Running::start(10, None);
    let smuggled = "\r\nMAIL FROM:<x@y.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n";
    for dot in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r\n"] {
        let mail = MAIL.replace("..dot\r\n.", &format!("one{dot}two{smuggled}..three\n..four\r\n."));
        let mut lines = vec!["EHLO am", "AUTH PLAIN AHVzZXIAcGFzc3dvcmQ="];
        lines.extend(["MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA", &mail, "QUIT"]);
        let replies = talk(&inbox.smtp_address, &lines).await;
        assert_eq!(replies, ["220", "250", "235", "250", "250", "354", "250", "221"], "{dot:?}");
        let all = inbox.notifications(0).await;
        let text = all.last().unwrap().body["text"].as_str().unwrap();
        assert!(text.contains("two") && text.contains("MAIL FROM:<x@y.example>"), "{dot:?}: {text:?}");
        assert!(text.contains("three\n..four"), "only a dot after CRLF is doubled: {text:?}");
    }
    assert_eq!(inbox.notifications(0).await.len(), 4);
    inbox.stop().await;
}

#[tokio::test]
async fn overlong_commands_end_the_session() {
    let inbox = Running::start(10, None);
    let long = "A".repeat(12_288) + "NOOP";
    assert_eq!(talk(&inbox.smtp_address, &["EHLO am", &long]).await, ["220", "250", "500"]);
    inbox.stop().await;
}

#[tokio::test]
async fn injected_failure_ends_and_the_channel_works_again() {
    let inbox = Running::start(10, None);
    let put = |path: &str, body: Value| {
        let request = inbox.http.put(format!("{}{path}", inbox.base)).body(body.to_string());
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(put("/fail/fax", json!({"status": 500, "ttl": "60s"})).await, 404);
    assert_eq!(put("/fail/slack", json!({"status": 200, "ttl": "60s"})).await, 400);
    assert_eq!(put("/fail/slack", json!({"status": 500})).await, 400, "a ttl is required");
    assert_eq!(put("/fail/slack", json!({"status": 503, "ttl": "60s"})).await, 204);
    assert_eq!(put("/fail/webhook", json!({"hang": true, "ttl": "300ms"})).await, 204);
    assert_eq!(inbox.post("/slack", slack("[FIRING:1] A").to_string()).await.0, 503);
    assert!(inbox.notifications(0).await.is_empty());
    let begun = std::time::Instant::now();
    assert_eq!(inbox.post("/webhook", webhook("firing", "A").to_string()).await.0, 200);
    assert!(begun.elapsed() >= Duration::from_millis(200), "it hangs until the failure ends");
    let lifted = inbox.http.delete(format!("{}/fail/slack", inbox.base)).send().await.unwrap();
    assert_eq!(lifted.status().as_u16(), 204);
    assert_eq!(inbox.post("/slack", slack("[FIRING:1] A").to_string()).await.0, 200);
    let (_, _, metrics) = inbox.get("/metrics").await;
    assert!(metrics.contains("inbox_injected_failures_total{channel=\"slack\"} 1\n"), "{metrics}");
    inbox.stop().await;
}

#[tokio::test]
async fn notifies_only_when_the_heartbeat_stops_and_recovers() {
    let inbox = Running::with(Config { heartbeat_limit: Duration::from_millis(600), ..Running::config(10) });
    let state = || async {
        let (_, _, body) = inbox.get("/heartbeat").await;
        serde_json::from_str::<Value>(&body).unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state().await, "unknown");
    for _ in 0..2 {
        assert_eq!(inbox.post("/heartbeat", webhook("firing", "Watchdog").to_string()).await.0, 200);
    }
    assert!(inbox.notifications(0).await.is_empty(), "heartbeats are not stored");
    let begun = std::time::Instant::now();
    while inbox.notifications(0).await.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the stop is not reported");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(state().await, "stopped");
    inbox.post("/heartbeat", webhook("firing", "Watchdog").to_string()).await;
    let all = inbox.notifications(0).await;
    let seen: Vec<_> = all.iter().map(|it| (it.channel.as_str(), it.status.as_str())).collect();
    assert_eq!(seen[..2], [("heartbeat", "firing"), ("heartbeat", "resolved")]);
    inbox.stop().await;
}

#[tokio::test]
async fn serves_proofs_and_runbooks() {
    let dir = tempfile::tempdir().unwrap();
    let proof = Proof {
        alert: "APIDown".into(),
        drill: "api-down".into(),
        proven_at: Timestamp::from_second(1_800_000_000).unwrap(),
        scale: 20.0,
        phases: std::collections::BTreeMap::new(),
    };
    proof::keep(dir.path(), &proof).unwrap();
    std::fs::write(dir.path().join("APIDown.md"), "# APIDown\n").unwrap();
    let inbox = Running::with(Config {
        proofs: Some(dir.path().to_owned()),
        runbooks: Some(dir.path().to_owned()),
        ..Running::config(10)
    });
    let (status, kind, metrics) = inbox.get("/metrics/drills").await;
    assert!(status == 200 && kind.starts_with("text/plain"), "{status} {kind}");
    assert!(
        metrics.contains(
            "drill_last_proven_timestamp_seconds{alert=\"APIDown\",drill=\"api-down\"} 1800000000\n"
        ),
        "{metrics}"
    );
    assert_eq!(inbox.get("/runbooks/APIDown").await.2, "# APIDown\n");
    for path in ["/runbooks/Nothing", "/runbooks/..%2Fapi-down", "/runbooks/api-down.json"] {
        assert_eq!(inbox.get(path).await.0, 404, "{path}");
    }
    inbox.stop().await;
}
