//! Plans, waiting, and checks for every run.

use std::time::{Duration, Instant};

use common::rate::Rate;
use load::engine::{self, Running};
use load::plan::{Limits, Plan};
use load::record::Record;
use load::schedule::Schedule;
use load::schedule::arrivals::Spacing;
use load::schedule::pace::Pace;
use load::spec::method::Method;
use load::spec::request::RequestSpec;
use url::Url;

/// Maximum wait of a test.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// `count` requests at `rate`, evenly spaced.
pub fn open(rate: f64, count: u64) -> Pace {
    let schedule = Schedule::constant(Rate::new(rate).unwrap(), None);
    Pace::Open { schedule, limit: Some(count), spacing: Spacing::Even }
}

/// Endless.
pub fn endless(rate: f64) -> Pace {
    let schedule = Schedule::constant(Rate::new(rate).unwrap(), None);
    Pace::Open { schedule, limit: None, spacing: Spacing::Even }
}

pub fn get(path: &str) -> RequestSpec {
    RequestSpec::new(Method::Get, path)
}

pub fn start(url: &Url, requests: &[RequestSpec], pace: Pace, limits: Limits) -> Running {
    engine::start(Plan::new(url, requests, pace, limits).unwrap()).unwrap()
}

/// Runs to the end and checks the record.
pub async fn run(url: &Url, requests: &[RequestSpec], pace: Pace, limits: Limits) -> Record {
    ended(start(url, requests, pace, limits)).await
}

/// Waits for the end, as [`run`] does.
pub async fn ended(running: Running) -> Record {
    let record = tokio::time::timeout(TIMEOUT, running.record()).await.expect("the run ends by itself");
    check(&record);
    record
}

/// Checks that the ledger adds up and that totals, statuses, faults, rows and histograms agree.
pub fn check(record: &Record) {
    let ledger = &record.ledger;
    assert!(ledger.adds_up(), "{ledger:?}");
    assert_eq!(record.broken, Vec::<String>::new());
    assert_eq!(record.statuses.values().sum::<u64>(), ledger.expected + ledger.unexpected);
    assert_eq!(record.faults.values().sum::<u64>(), ledger.transport_errors + ledger.local_errors);
    let sum =
        |of: fn(&load::record::Row) -> u32| record.rows.iter().map(|row| u64::from(of(row))).sum::<u64>();
    assert_eq!(sum(|row| row.scheduled), ledger.scheduled);
    assert_eq!(sum(|row| row.sent), record.sent);
    assert_eq!(sum(|row| row.expected), ledger.expected);
    assert_eq!(sum(|row| row.unexpected), ledger.unexpected);
    assert_eq!(sum(|row| row.errors), ledger.transport_errors + ledger.local_errors);
    assert_eq!(sum(|row| row.shed), ledger.shed);
    let timeouts: u64 =
        record.faults.iter().filter(|(fault, _)| fault.is_timeout()).map(|(_, count)| count).sum();
    let with_a_response_time = ledger.expected + ledger.unexpected + timeouts + ledger.unfinished;
    assert_eq!(record.latencies.response.len(), with_a_response_time);
    assert_eq!(record.latencies.service.len(), record.latencies.connection_wait.len());
}

/// A quantile of a histogram of nanoseconds, in seconds.
pub fn seconds(histogram: &hdrhistogram::Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e9
}

/// Waits until `done`, within [`TIMEOUT`].
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < TIMEOUT, "timed out waiting for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
