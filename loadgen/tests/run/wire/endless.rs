//! Endless load for drills: started, observed, stopped.

use std::time::Duration;

use drill::causes::traffic::{Load, Rate, Traffic};
use load::engine::start_endless;
use load::spec::load::LoadSpec;

use crate::server::Server;
use crate::support::{check, wait_for};

fn load(yaml: &str) -> LoadSpec {
    serde_saphyr::from_str(yaml).unwrap()
}

#[tokio::test]
async fn counts_grow_until_stopped() {
    let server = Server::gateway();
    let load =
        load("{rate: 400/s, requests: [{weight: 3, get: /api/users}, {get: /api/error, expect: 500}]}");
    let running = start_endless(&server.url("/ignored"), &load).unwrap();
    wait_for("100 responses", || running.counts().expected >= 100);
    let before = running.counts();
    assert_eq!((before.unexpected, before.transport_errors, before.local_errors, before.shed), (0, 0, 0, 0));
    assert!(before.scheduled >= before.expected);
    let statuses = running.statuses();
    assert!(
        statuses[&200].abs_diff(3 * statuses[&500]) <= 4 + running.counts().in_flight * 3,
        "{statuses:?}"
    );
    let record = running.stop(Duration::from_secs(30)).await;
    check(&record);
    assert!(record.ledger.scheduled >= before.scheduled);
    assert_eq!(record.ledger.expected, record.ledger.scheduled);
    assert_eq!(server.requests() as u64, record.ledger.scheduled);
}

#[tokio::test]
async fn stop_waits_at_most_the_grace_period() {
    let server = Server::silent();
    let running = start_endless(&server.url("/"), &load("{rate: 200/s, requests: [{get: /}]}")).unwrap();
    wait_for("requests in flight", || running.counts().in_flight >= 5);
    let record = tokio::time::timeout(Duration::from_secs(20), running.stop(Duration::from_millis(100)))
        .await
        .unwrap();
    check(&record);
    assert_eq!(record.ledger.unfinished, record.ledger.scheduled, "the timeout of 30 s has not passed");
}

#[test]
fn drop_stops_the_load() {
    let server = Server::gateway();
    let running = start_endless(&server.url("/"), &load("{rate: 200/s, requests: [{get: /}]}")).unwrap();
    wait_for("requests", || server.requests() >= 10);
    drop(running);
    wait_for("every connection to be closed", || server.open() == 0);
    let (requests, connections) = (server.requests(), server.connections());
    std::thread::sleep(Duration::from_millis(50)); // the time of ten arrivals
    assert_eq!((server.requests(), server.connections()), (requests, connections));
}

#[test]
fn start_errors_have_a_reason() {
    let load = load("{rate: 1/s, requests: [{get: /}]}");
    for (url, words) in [
        ("ftp://a.example/", "expected http://HOST:PORT"),
        ("http://no-such-host.invalid/", "cannot resolve `no-such-host.invalid`"),
    ] {
        let error = start_endless(&url.parse().unwrap(), &load).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let empty = LoadSpec { requests: Vec::new(), ..load };
    assert!(
        start_endless(&"http://127.0.0.1:1/".parse().unwrap(), &empty)
            .unwrap_err()
            .to_string()
            .contains("at least one")
    );
}

/// Sum of rates times their duration.
fn sum(rates: &[Rate], of: fn(&Rate) -> f64) -> f64 {
    rates.iter().map(|rate| of(rate) * (rate.to - rate.from)).sum()
}

#[tokio::test]
async fn recorded_traffic_includes_every_response() {
    let server = Server::gateway();
    let baseline = load("{rate: 200/s, requests: [{get: /api/users}]}");
    let cause = load("{rate: 200/s, requests: [{get: /api/error, expect: 500}, {get: /api/error}]}");
    let mut traffic = Traffic::default();
    let origin = jiff::Timestamp::now();
    let mut responses = Vec::new();
    for (what, load) in [(Load::Baseline, baseline), (Load::Cause, cause)] {
        let running = start_endless(&server.url("/"), &load).unwrap();
        traffic.follow(what, running.series());
        wait_for("responses", || running.counts().settled() >= 100);
        responses.push(running.stop(Duration::from_secs(30)).await.ledger);
    }
    let end = traffic.end().unwrap();
    // A single step includes everything.
    let step = end.duration_since(origin).as_secs_f64();
    let rates = traffic.rates(origin, step);
    let near =
        |sum: f64, count: u64| assert!((sum - count as f64).abs() < 0.5, "{sum} of {count}: {rates:?}");
    near(sum(&rates, |rate| rate.baseline), responses[0].expected);
    near(sum(&rates, |rate| rate.cause), responses[1].expected);
    near(sum(&rates, |rate| rate.unexpected), responses[1].unexpected);
    assert!(responses[1].unexpected >= 40 && responses[0].unexpected == 0, "{responses:?}");
}
