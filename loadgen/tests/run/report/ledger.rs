//! The content of the report, and its JSON round trip.

use load::engine;
use load::plan::{Limits, Plan};
use load::report::model::{Labels, Report};
use load::report::summary;
use load::spec::request::RequestSpec;

use crate::schema;
use crate::server::Server;
use crate::support::{ended, get, open};

async fn report(server: &Server) -> Report {
    let mix = [RequestSpec { weight: 3, ..get("/api/users") }, get("/api/error")];
    let plan = Plan::new(&server.url("/"), &mix, open(400.0, 200), Limits::default()).unwrap();
    let running = engine::start(plan).unwrap();
    let plan = running.plan_handle();
    let labels =
        Labels { planned: "400/s for 200 requests".into(), max_lag_seconds: 10.0, ..Labels::default() };
    Report::new(&plan, &ended(running).await, labels)
}

#[tokio::test]
async fn json_has_names_and_values() {
    let report = report(&Server::gateway()).await;
    let json = serde_json::to_value(&report).unwrap();
    schema::validate(&json);
    assert_eq!(
        json["ledger"],
        serde_json::json!({"scheduled": 200, "expected": 150, "unexpected": 50, "transport_errors": 0, "local_errors": 0,
            "shed": 0, "unfinished": 0})
    );
    assert_eq!(json["statuses"], serde_json::json!({"200": 150, "500": 50}));
    assert_eq!((&json["valid"], &json["target_rate"]), (&true.into(), &400.0.into()));
    let achieved = json["achieved_rate"].as_f64().unwrap();
    assert!((200.0..=401.0).contains(&achieved), "{achieved}");
    let response = &json["latency_seconds"]["response"];
    let order = ["min", "p50", "p75", "p90", "p95", "p99", "p999", "p9999", "max"];
    let values: Vec<f64> = order.iter().map(|name| response[name].as_f64().unwrap()).collect();
    assert!(values.is_sorted(), "{values:?}");
    let series = json["series"].as_array().unwrap();
    assert_eq!(series.iter().map(|point| point["expected"].as_u64().unwrap()).sum::<u64>(), 150);
}

#[tokio::test]
async fn histograms_survive_the_round_trip() {
    let report = report(&Server::gateway()).await;
    let response = &report.latency_seconds.response;
    let histogram = response.histogram().unwrap();
    assert_eq!(histogram.len(), 200);
    assert_eq!(Some(histogram.value_at_quantile(0.99) as f64 / 1e9), response.p99);
    assert_eq!(load::record::distribution::Distribution::of(&histogram).p50, response.p50);
    let mut broken = response.clone();
    broken.hdr_v2_base64 = "not base64!".into();
    assert!(broken.histogram().is_err());
}

#[tokio::test]
async fn summary_can_be_created_from_json() {
    let report = report(&Server::gateway()).await;
    let again: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(again, report);
    let text = summary::text(&again);
    assert_eq!(text, summary::text(&report));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for words in
        ["200 scheduled = 150 expected + 50 unexpected", "200: 150 · 500: 50", "400.0/s target", "FAILED: 50"]
    {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
}
