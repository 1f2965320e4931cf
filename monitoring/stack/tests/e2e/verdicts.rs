//! Verdicts of a broken chain: each break has its verdict, with the most likely reason.

use nix::sys::signal::Signal;

use crate::support::{Bed, FAST, replace};

/// The shipped drill with another share of errors.
fn drill(share: u32) -> String {
    format!(
        "drill: errors
proves: {{alert: HighErrorRate, labels: {{severity: warning}}}}
summary: {share} % of responses are 5xx
baseline: {{rate: 40/s, requests: [{{get: /api/users}}]}}
cause:
  load: {{rate: 40/s, requests: [{{weight: {}, get: /api/users}}, {{weight: {share}, get: /api/error, expect: 500}}]}}
expect: {{delivered: [webhook, slack]}}
",
        100 - share
    )
}

#[tokio::test]
async fn distinguishes_a_weak_cause_from_a_misspelt_label() {
    let bed = Bed::start(FAST).await;
    let finished = bed.run_drill(&drill(3)).await;
    assert_eq!(finished.code, Some(5), "{}", finished.text);
    let (verdict, reason) = finished.verdict();
    assert_eq!(verdict, "MISSED", "{}", finished.text);
    assert!(reason.contains("0.05"), "the threshold is named: {reason}");
    assert!(reason.contains("0.03") || reason.contains("0.02"), "the value reached is named: {reason}");
    let finished = bed.run_drill(&drill(8).replace("severity: warning", "severty: warning")).await;
    let (verdict, reason) = finished.verdict();
    assert_eq!(verdict, "MISSED", "{}", finished.text);
    assert!(reason.contains("check the spelling of `severty` in `proves.labels`"), "{reason}");
    bed.stack.stop().await;
}

#[tokio::test]
async fn a_misspelt_metric_is_missed_and_named() {
    let bed = Bed::start_with(FAST, |monitoring| {
        let rules = monitoring.join("alert_rules/api.yml");
        replace(
            &rules,
            r#"http_requests_total{job="api",status=~"5..""#,
            r#"http_request_total{job="api",status=~"5..""#,
        );
    })
    .await;
    let finished = bed.run_drill(&drill(8)).await;
    assert_eq!(finished.code, Some(5), "{}", finished.text);
    let (verdict, reason) = finished.verdict();
    assert_eq!(verdict, "MISSED", "{}", finished.text);
    assert!(reason.contains("http_request_total"), "{reason}");
    bed.stack.stop().await;
}

#[tokio::test]
async fn a_route_without_receiver_or_in_a_time_interval_is_refused() {
    let bed = Bed::start_with(FAST, |monitoring| {
        let file = monitoring.join("alertmanager.yml");
        replace(&file, "  receiver: warning\n  group_by", "  receiver: nowhere\n  group_by");
        replace(&file, "receivers:\n", "receivers:\n  - name: nowhere\n");
        let muted = "    - receiver: critical\n      mute_time_intervals: [always]\n";
        replace(&file, "    - receiver: critical\n", muted);
        let always =
            "time_intervals:\n  - name: always\n    time_intervals: [{years: ['2000:2999']}]\n\nroute:\n";
        replace(&file, "\nroute:\n", always);
    })
    .await;
    let critical = drill(30).replace("HighErrorRate", "CriticalErrorRate").replace("warning", "critical");
    for (text, needle) in [
        (
            drill(8),
            "is expected on webhook, but its route sends to receiver `nowhere`, which has no webhook_configs",
        ),
        (critical, "the route to receiver `critical` is muted by the time interval `always`"),
    ] {
        let finished = bed.run_drill(&text).await;
        assert_eq!(finished.code, Some(5), "{}", finished.text);
        let (verdict, reason) = finished.verdict();
        assert_eq!(verdict, "REFUSED", "{}", finished.text);
        assert!(reason.contains(needle), "{reason}");
        assert!(finished.report["drills"][0]["instants"]["baseline"].is_null(), "{}", finished.text);
    }
    bed.stack.stop().await;
}

#[tokio::test]
async fn a_wrong_receiver_address_is_missed_at_notified() {
    let bed = Bed::start_with(FAST, |monitoring| {
        let file = monitoring.join("alertmanager.yml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("inbox:8025/webhook", "inbox:8025/heartbeat")).unwrap();
    })
    .await;
    let finished = bed.run_drill(&drill(8)).await;
    assert_eq!(finished.code, Some(5), "{}", finished.text);
    let (verdict, reason) = finished.verdict();
    assert_eq!(verdict, "MISSED", "{}", finished.text);
    assert!(reason.contains("no notification reached `webhook`") && reason.contains("`warning`"), "{reason}");
    let phases = &finished.report["drills"][0]["phases"];
    assert!(phases["firing"]["seconds"].is_number(), "{phases:#}");
    assert!(phases["notified"]["seconds"].is_null(), "{phases:#}");
    bed.stack.stop().await;
}

#[tokio::test]
async fn a_stopped_alertmanager_is_refused_before_any_traffic() {
    let mut bed = Bed::start(FAST).await;
    bed.stack.signal("alertmanager", Signal::SIGKILL);
    let finished = bed.run_drill(&drill(8)).await;
    assert_eq!(finished.code, Some(5), "{}", finished.text);
    let (verdict, reason) = finished.verdict();
    assert_eq!(verdict, "REFUSED", "{}", finished.text);
    assert!(reason.contains("Alertmanager"), "{reason}");
    bed.stack.stop().await;
}

#[tokio::test]
async fn another_firing_alert_is_unexpected() {
    let bed = Bed::start(FAST).await;
    // 30 % errors fire both alerts; this drill expects only one of them.
    let finished = bed
        .run_drill(&drill(30).replace("HighErrorRate", "CriticalErrorRate").replace("warning", "critical"))
        .await;
    assert_eq!(finished.code, Some(5), "{}", finished.text);
    let (verdict, reason) = finished.verdict();
    assert_eq!(verdict, "UNEXPECTED", "{}", finished.text);
    assert!(reason.contains("HighErrorRate"), "{reason}");
    bed.stack.stop().await;
}

#[tokio::test]
async fn unexpected_traffic_and_failed_commands_are_inconclusive() {
    let bed = Bed::start(FAST).await;
    let control = |cause: &str| {
        format!(
            "drill: control\nproves: {{quiet: 4m}}\nbaseline: {{rate: 20/s, requests: [{{get: /api/users}}]}}\n{cause}"
        )
    };
    let misspelt = drill(8).replace("/api/error", "/api/eror");
    for (text, needle) in [
        (control("cause: {load: {rate: 20/s, requests: [{get: /nope404}]}}\n"), "404: "),
        (control("cause: {run: {hold: true, start: [sh, -c, 'exit 7']}}\n"), "`sh -c exit 7` ended before"),
        (misspelt, "had an unexpected status (by status: 200: "),
    ] {
        let finished = bed.run_drill(&text).await;
        assert_eq!(finished.code, Some(5), "{}", finished.text);
        let (verdict, reason) = finished.verdict();
        assert_eq!(verdict, "INCONCLUSIVE", "{}", finished.text);
        assert!(reason.starts_with("the cause was not applied as stated: "), "{reason}");
        assert!(reason.contains(needle), "{reason}");
    }
    let finished = bed.run_drill(&control("")).await;
    assert_eq!(finished.verdict().0, "PROVEN", "{}", finished.text);
    bed.stack.stop().await;
}

#[tokio::test]
async fn external_labels_apply_to_routes_and_silences() {
    let bed = Bed::start_with(FAST, |monitoring| {
        replace(&monitoring.join("prometheus.yml"), "global:\n", "global:\n  external_labels: {env: prod}\n");
        let route = "  routes:\n    - receiver: warning\n      matchers: [env=\"prod\", alertname=\"HighErrorRate\"]\n      group_wait: 10m\n";
        replace(&monitoring.join("alertmanager.yml"), "  routes:\n", route);
    })
    .await;
    // Other alerts may fire during the longer wait.
    let labelled = drill(8)
        .replace("{severity: warning}", "{severity: warning, env: prod}")
        .replace("slack]", "slack], also: [ExcessiveHttp500, ErrorBudgetBurn, HighLatency]");
    let finished = bed.run_drill(&labelled).await;
    let found = &finished.report["drills"][0];
    assert_eq!(found["bound_inputs"]["group_wait_seconds"], 10.0, "{}", finished.text);
    assert!(found["phases"]["notified"]["seconds"].as_f64().unwrap() > 8.0, "{}", finished.text);
    assert_eq!(finished.verdict().0, "PROVEN", "{}", finished.text);

    let matcher = |name: &str, value: &str| serde_json::json!({"name": name, "value": value, "isRegex": false, "isEqual": true});
    let silence = serde_json::json!({
        "matchers": [matcher("env", "prod"), matcher("severity", "warning")], "createdBy": "test", "comment": "lunch",
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z",
    });
    let url = format!("{}/api/v2/silences", bed.stack.url("alertmanager"));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.post(url).json(&silence).send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    let finished = bed.run_drill(&drill(8)).await;
    let (verdict, reason) = finished.verdict();
    assert!(verdict == "REFUSED" && reason.contains("(lunch) covers HighErrorRate"), "{verdict}: {reason}");
    bed.stack.stop().await;
}

/// With the shipped templates (Discord, PagerDuty, mail) and Alertmanager's default (Slack, here).
#[tokio::test]
async fn finds_an_alert_name_with_spaces_in_every_text() {
    let bed = Bed::start_with(FAST, |monitoring| {
        let rule = |alert: &str, least: u32| {
            format!(
                "      - {{alert: {alert}, expr: 'sum by (job) (rate(http_requests_total{{status=\"404\"}}[5m])) > {least}', \
                 labels: {{severity: critical}}, annotations: {{summary: 'gone: all of it (really)'}}}}\n"
            )
        };
        let rules = format!("groups:\n  - name: spaced\n    rules:\n{}{}", rule("Service", 999), rule("Service Is Down", 5));
        std::fs::write(monitoring.join("alert_rules/spaced.yml"), rules).unwrap();
        let file = monitoring.join("alertmanager.yml");
        replace(&file, "        title: '{{ template \"firedrill.slack.title\" . }}'\n", "");
        replace(&file, "        fallback: '{{ template \"firedrill.slack.title\" . }}'\n", "");
    })
    .await;
    let text = "drill: spaced
proves: {alert: Service Is Down}
baseline: {rate: 40/s, requests: [{get: /api/users}]}
cause: {load: {rate: 40/s, requests: [{get: /nothing/here, expect: 404}]}}
expect: {delivered: [webhook, slack, discord, pagerduty, email]}
";
    let finished = bed.run_drill(text).await;
    // This checks the notifications, not their delay on a busy machine.
    let (verdict, reason) = finished.verdict();
    assert!(["PROVEN", "LATE"].contains(&verdict), "{verdict} {reason}\n{}", finished.text);
    let instants = &finished.report["drills"][0]["instants"];
    for phase in ["notified", "all_clear"] {
        assert_eq!(instants[phase].as_object().unwrap().len(), 5, "{phase}: {instants:#}");
    }
    let url = format!("{}/notifications", bed.stack.url("inbox"));
    let arrived = crate::support::get_json(&url).await.unwrap();
    let slack: Vec<_> =
        arrived["notifications"].as_array().unwrap().iter().filter(|it| it["channel"] == "slack").collect();
    let headings: Vec<_> = slack.iter().filter_map(|it| it["alerts"][0]["heading"].as_str()).collect();
    assert!(headings.iter().any(|it| it.starts_with("Service Is Down api (")), "{headings:?}");
    bed.stack.stop().await;
}
