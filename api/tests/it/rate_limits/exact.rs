//! Exactness: gateways with different clocks on one Redis, and exact waits.

use crate::{
    helpers::{PATIENCE, header, policy, spawn_on_redis, spawn_with},
    process::running::Running,
};
use futures_util::future::join_all;
use process::program;
use reqwest::{Client, Response};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use testkit::Redis;
use tokio::time::sleep;

/// Three gateways on one Redis, their clocks five seconds apart.
struct Skewed(Vec<Running>);

impl Skewed {
    fn start(redis: &Redis, policies: &str, dir: &Path) -> Self {
        let file = dir.join("limits.toml");
        std::fs::write(&file, policies).unwrap();
        let clock = program::preload("libfaketime.so.1").unwrap();
        let start = |offset: &str| {
            let flags =
                ["--redis-url", &redis.url(), "--redis-deadline", "5s", "--trusted-proxies", "127.0.0.1"];
            Running::start_with(
                &flags,
                &[
                    ("LD_PRELOAD", clock.to_str().unwrap()),
                    ("FAKETIME", offset),
                    // The monotonic clock stays the same: only the wall clock differs.
                    ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
                    ("RATE_LIMITS_FILE", file.to_str().unwrap()),
                ],
            )
        };
        Self(["-5s", "+0s", "+5s"].map(start).into_iter().collect())
    }

    async fn get(&self, gateway: usize, client: &str) -> Response {
        let app = &self.0[gateway % self.0.len()];
        app.client.get(format!("{}/", app.base)).header("x-forwarded-for", client).send().await.unwrap()
    }

    /// The wall clock of each gateway, in seconds since 1970, from its latest log line.
    async fn clocks(&self) -> Vec<f64> {
        let mut clocks = Vec::new();
        for (index, app) in self.0.iter().enumerate() {
            while app.lines.try_recv().is_ok() {}
            self.get(index, "192.0.2.250").await;
            let line = app.lines.recv_timeout(PATIENCE).unwrap();
            let time = line["timestamp"].as_str().unwrap_or_else(|| panic!("no timestamp in {line}"));
            let time = humantime::parse_rfc3339(time).unwrap();
            let since = time.duration_since(std::time::UNIX_EPOCH).unwrap();
            clocks.push(since.as_secs_f64());
        }
        clocks
    }
}

#[tokio::test]
async fn skewed_gateways_admit_exactly_the_burst() {
    let (redis, dir) = (Redis::start().await.unwrap(), tempfile::tempdir().unwrap());
    let gateways = Skewed::start(&redis, &policy("p", "1/d", 100), dir.path());
    let clocks = gateways.clocks().await;
    // Requested one after the other, so that a busy machine only adds to the five seconds.
    assert!(clocks[1] - clocks[0] > 4.9 && clocks[2] - clocks[1] > 4.9, "{clocks:?}");
    for run in 0..20 {
        let client = format!("198.51.100.{run}");
        let calls = (0..160).map(|call| gateways.get(call, &client));
        let statuses: Vec<u16> =
            join_all(calls).await.iter().map(|response| response.status().as_u16()).collect();
        let count = |status| statuses.iter().filter(|found| **found == status).count();
        assert_eq!((count(200), count(429)), (100, 60), "run {run}");
    }
}

/// The clock of Redis in microseconds.
async fn redis_time(connection: &mut redis::aio::MultiplexedConnection) -> u64 {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(connection).await.unwrap();
    seconds * 1_000_000 + micros
}

#[tokio::test]
async fn with_refill_skewed_gateways_stay_within_one_of_the_oracle() {
    const RATE: u64 = 20;
    const BURST: u64 = 30;
    let (redis, dir) = (Redis::start().await.unwrap(), tempfile::tempdir().unwrap());
    let gateways = Skewed::start(&redis, &policy("p", "20/s", 30), dir.path());
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let before_first = redis_time(&mut connection).await;
    assert_eq!(gateways.get(0, "192.0.2.1").await.status(), 200);
    let after_first = redis_time(&mut connection).await;
    let until = Instant::now() + Duration::from_secs(3);
    let flood = (0..12).map(|gateway| {
        let gateways = &gateways;
        async move {
            let mut admitted = 0;
            while Instant::now() < until {
                admitted += u64::from(gateways.get(gateway, "192.0.2.1").await.status() == 200);
            }
            admitted
        }
    });
    let mut admitted = 1 + join_all(flood).await.into_iter().sum::<u64>();
    // Until one is refused: then the limit is used up.
    let before_last = loop {
        let now = redis_time(&mut connection).await;
        if gateways.get(1, "192.0.2.1").await.status() == 429 {
            break now;
        }
        admitted += 1;
    };
    let after_last = redis_time(&mut connection).await;
    // What the oracle grants at the earliest and the latest time of the decisions.
    let granted = |from: u64, to: u64| BURST + (to - from) * RATE / 1_000_000;
    let (min, max) = (granted(after_first, before_last), granted(before_first, after_last));
    assert!((min..=max).contains(&admitted), "{admitted}, the oracle {min} to {max}");
    assert!(admitted > 60, "the refill was included: {admitted}");
}

/// A client that is refused, waits for Retry-After and repeats the request; returns the last status.
async fn patient(http: &Client, url: &str, address: &str) -> u16 {
    let get = async || http.get(url).header("x-forwarded-for", address).send().await.unwrap();
    // On a machine that takes a second for a request, more may be admitted before one is refused; and every other
    // client is refused twice, the second time perhaps from the cache.
    let mut refused = get().await;
    while refused.status() == 200 {
        refused = get().await;
    }
    assert_eq!(refused.status(), 429);
    if address.ends_with(['1', '3', '5', '7', '9']) {
        let again = get().await;
        if again.status() == 429 {
            refused = again;
        }
    }
    let wait: u64 = header(&refused, "retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    sleep(Duration::from_secs(wait)).await;
    get().await.status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_wait_for_exactly_retry_after_are_admitted() {
    let redis = Redis::start().await.unwrap();
    let text = policy("p", "2/s", 2) + "cost = 2\n";
    let flags = ["--trusted-proxies", "127.0.0.1"];
    let with_redis = ["--redis-url", &redis.url(), "--redis-deadline", "5s"];
    for app in [spawn_with(&text, &flags).await, spawn_with(&text, &[&flags[..], &with_redis].concat()).await]
    {
        let url = format!("{}/", app.base);
        // A few hundred at a time: another test covers more connections.
        let mut last = Vec::new();
        for block in 0..4 {
            let clients = (0..125).map(|client| {
                let (http, url) = (app.client.clone(), url.clone());
                tokio::spawn(async move { patient(&http, &url, &format!("10.7.{block}.{client}")).await })
            });
            last.extend(join_all(clients).await.into_iter().map(Result::unwrap));
        }
        assert_eq!(last, vec![200; 500]);
    }
}

#[tokio::test]
async fn the_headers_tell_when_to_retry() {
    let redis = Redis::start().await.unwrap();
    let text = policy("p", "2/s", 3);
    for app in [spawn_with(&text, &[]).await, spawn_on_redis(&redis.url(), &text, None).await] {
        for _ in 0..3 {
            let mut response = app.get("/").await;
            while response.status() == 200 {
                let left: u64 = header(&response, "x-ratelimit-remaining").parse().unwrap();
                let reset: u64 = header(&response, "x-ratelimit-reset").parse().unwrap();
                assert!(left <= 2 && (1..=2).contains(&reset), "{left} left, full in {reset} s");
                response = app.get("/").await;
            }
            let wait: u64 = header(&response, "retry-after").parse().unwrap();
            assert_eq!((wait, header(&response, "x-ratelimit-remaining")), (1, "0"));
            sleep(Duration::from_secs(wait)).await;
        }
    }
}
