//! What a drill says when the chain is broken: each break gives its verdict, with the likeliest reason.

use nix::sys::signal::Signal;

use crate::support::{Bed, FAST, replace};

/// The shipped drill with another share of errors.
fn drill(share: u32) -> String {
    format!(
        "drill: errors
proves: {{alert: HighErrorRate, labels: {{severity: warning}}}}
summary: {share} % of answers are 5xx
baseline: {{rate: 40/s, requests: [{{get: /api/users}}]}}
cause:
  load: {{rate: 40/s, requests: [{{weight: {}, get: /api/users}}, {{weight: {share}, get: /api/error, expect: 500}}]}}
expect: {{delivered: [webhook, slack]}}
",
        100 - share
    )
}

#[tokio::test]
async fn a_cause_that_is_too_weak_is_missed_and_told_how_far_it_got() {
    let bed = Bed::start(FAST).await;
    let finished = bed.run_drill(&drill(3)).await;
    assert_eq!(finished.code, Some(5), "{}", finished.text);
    let (verdict, reason) = finished.verdict();
    assert_eq!(verdict, "MISSED", "{}", finished.text);
    assert!(reason.contains("0.05"), "the threshold is named: {reason}");
    assert!(reason.contains("0.03") || reason.contains("0.02"), "the value reached is named: {reason}");
    bed.stack.stop().await;
}

#[tokio::test]
async fn a_rule_with_a_misspelt_metric_is_missed_and_the_metric_named() {
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
async fn a_route_that_leads_nowhere_is_missed_at_notified() {
    let bed = Bed::start_with(FAST, |monitoring| {
        let file = monitoring.join("alertmanager.yml");
        replace(&file, "  receiver: warning\n  group_by", "  receiver: nowhere\n  group_by");
        replace(&file, "receivers:\n", "receivers:\n  - name: nowhere\n");
    })
    .await;
    let finished = bed.run_drill(&drill(8)).await;
    assert_eq!(finished.code, Some(5), "{}", finished.text);
    let (verdict, reason) = finished.verdict();
    assert_eq!(verdict, "MISSED", "{}", finished.text);
    assert!(reason.contains("nowhere"), "the receiver it was routed to is named: {reason}");
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
async fn another_alert_that_fires_too_is_unexpected() {
    let bed = Bed::start(FAST).await;
    // 30 % errors trip both alerts; this drill explains only one of them.
    let finished = bed
        .run_drill(&drill(30).replace("HighErrorRate", "CriticalErrorRate").replace("warning", "critical"))
        .await;
    assert_eq!(finished.code, Some(5), "{}", finished.text);
    let (verdict, reason) = finished.verdict();
    assert_eq!(verdict, "UNEXPECTED", "{}", finished.text);
    assert!(reason.contains("HighErrorRate"), "{reason}");
    bed.stack.stop().await;
}

/// By our templates (Discord, PagerDuty, mail) and by Alertmanager's own (Slack, here).
#[tokio::test]
async fn an_alert_whose_name_holds_spaces_is_found_in_every_text() {
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
    // What is asked here is who was told of what, not how fast on a machine that does other things besides.
    let (verdict, reason) = finished.verdict();
    assert!(["PROVEN", "LATE"].contains(&verdict), "{verdict} {reason}\n{}", finished.text);
    let instants = &finished.report["drills"][0]["instants"];
    for told in ["notified", "told"] {
        assert_eq!(instants[told].as_object().unwrap().len(), 5, "{told}: {instants:#}");
    }
    let url = format!("{}/notifications", bed.stack.url("inbox"));
    let arrived = crate::support::get_json(&url).await.unwrap();
    let slack: Vec<_> =
        arrived["notifications"].as_array().unwrap().iter().filter(|it| it["channel"] == "slack").collect();
    let headings: Vec<_> = slack.iter().filter_map(|it| it["alerts"][0]["heading"].as_str()).collect();
    assert!(headings.iter().any(|it| it.starts_with("Service Is Down api (")), "{headings:?}");
    bed.stack.stop().await;
}
