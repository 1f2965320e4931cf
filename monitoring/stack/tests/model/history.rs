//! What a run left in Prometheus and the inbox.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::chain::{self, Chain};
use crate::draw::Configuration;
use crate::text;

/// Microseconds since 1970.
fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

/// When what happened in one configuration, in microseconds from the cause.
#[derive(Debug)]
pub struct Real {
    /// One scrape; the others are whole intervals from it.
    pub scraped: i64,
    /// One evaluation of each group.
    pub evaluated: Vec<i64>,
    /// 1970: subqueries are evaluated at whole steps from it.
    pub grid: i64,
    pub left_open: bool,
    pub lifted: i64,
    pub pending: i64,
    pub firing: i64,
    pub resolved: i64,
    pub notified: i64,
    pub all_clear: i64,
}

/// Timestamps in microseconds since 1970.
pub struct History {
    client: reqwest::Client,
    exporter: String,
    prometheus: String,
    inbox: String,
    left_open: bool,
    /// When the series were set.
    set: Vec<i64>,
    /// By alert and status.
    received: BTreeMap<(String, String), i64>,
    /// By metric, or by alert and state.
    samples: BTreeMap<String, Vec<i64>>,
}

impl History {
    pub fn new(chain: &Chain) -> Self {
        Self {
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            exporter: chain.exporter.url.clone(),
            prometheus: chain.prometheus.clone(),
            inbox: chain.inbox.clone(),
            left_open: chain::version().0 >= 3,
            set: Vec::new(),
            received: BTreeMap::new(),
            samples: BTreeMap::new(),
        }
    }

    /// Sets all series in one request.
    pub async fn set(&mut self, names: &[&str], value: u8) {
        let query: Vec<(&str, u8)> = names.iter().map(|name| (*name, value)).collect();
        self.set.push(now());
        let response = self.client.get(format!("{}/set", self.exporter)).query(&query).send().await.unwrap();
        assert!(response.status().is_success());
    }

    async fn json(&self, url: &str, query: &[(&str, &str)]) -> Value {
        let response = self.client.get(url).query(query).send().await.unwrap();
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    /// Reads what arrives until `done`.
    pub async fn wait(&mut self, what: &str, limit: Duration, done: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        loop {
            let listing = self.json(&format!("{}/notifications", self.inbox), &[]).await;
            for notification in listing["notifications"].as_array().unwrap() {
                let at: jiff::Timestamp = notification["received_at"].as_str().unwrap().parse().unwrap();
                for alert in notification["alerts"].as_array().unwrap() {
                    let text = |field: &str| alert[field].as_str().unwrap().to_owned();
                    self.received.entry((text("alert"), text("status"))).or_insert(at.as_microsecond());
                }
            }
            if done(self) {
                return;
            }
            assert!(
                started.elapsed() < limit,
                "not every configuration is {what} within {limit:?}: {:?}",
                self.received
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Whether the notification with this status has arrived.
    pub fn received(&self, configuration: &Configuration, status: &str) -> bool {
        self.received
            .contains_key(&(text::name(configuration, configuration.last(), true), status.to_owned()))
    }

    /// Reads the samples.
    pub async fn read(&mut self) {
        let range =
            format!("{{__name__=~\"ALERTS|x.*|c.*_g.*\"}}[{}s]", (now() - self.set[0]) / 1_000_000 + 20);
        let found = self.json(&format!("{}/api/v1/query", self.prometheus), &[("query", &range)]).await;
        for series in found["data"]["result"].as_array().unwrap() {
            let label = |name: &str| series["metric"][name].as_str().unwrap_or_default();
            let key = match label("__name__") {
                "ALERTS" => format!("{} {}", label("alertname"), label("alertstate")),
                name => name.to_owned(),
            };
            let at = |sample: &Value| (sample[0].as_f64().unwrap() * 1000.0).round() as i64 * 1000;
            let mut stamps: Vec<i64> = series["values"].as_array().unwrap().iter().map(at).collect();
            let all = self.samples.entry(key).or_default();
            all.append(&mut stamps);
            all.sort_unstable();
        }
    }

    /// The samples of a series, if none was left out that was due `every` so often.
    fn regular(&self, key: &str, every: i64) -> Result<&[i64], String> {
        let stamps = self.samples.get(key).map_or(&[][..], Vec::as_slice);
        // Prometheus begins a scrape or an evaluation that is late at once, and the next one when it is due.
        let odd = stamps.windows(2).find(|pair| (pair[1] - pair[0] - every).abs() > crate::DELAY);
        match odd {
            _ if stamps.len() < 2 => Err(format!("{key} has {} samples", stamps.len())),
            Some(pair) => Err(format!("{key} has samples {} us apart, not {every}", pair[1] - pair[0])),
            None => Ok(stamps),
        }
    }

    /// What happened in a configuration.
    ///
    /// # Errors
    /// A scrape or an evaluation was left out.
    pub fn of(&self, configuration: &Configuration) -> Result<Real, String> {
        let (cause, lift) = (self.set[0], self.set[1]);
        let scraped = self.regular(&configuration.series(), configuration.model.scrape)?[0] - cause;
        let mut evaluated = Vec::new();
        for (index, group) in configuration.model.groups.iter().enumerate() {
            // Samples have the time at which the rules look.
            let stamps = self.regular(&text::clock(configuration, index), group.interval)?;
            evaluated.push(stamps[0] + group.behind - cause);
        }
        let group = configuration.model.groups.last().unwrap();
        let alert = text::name(configuration, configuration.last(), true);
        let of = |state: &str| {
            let stamps = self.samples.get(&format!("{alert} {state}")).map_or(&[][..], Vec::as_slice);
            stamps.iter().map(|at| at + group.behind).collect::<Vec<i64>>()
        };
        let first = |stamps: &[i64]| stamps.iter().copied().filter(|at| *at >= cause).min();
        let (pending, firing) = (of("pending"), of("firing"));
        let fired = first(&firing).ok_or_else(|| format!("{alert} has no samples as firing"))?;
        // The first evaluation after the end at which it does not fire.
        let clock = self.samples[&text::clock(configuration, configuration.model.groups.len() - 1)].iter();
        let resolved = clock
            .map(|at| at + group.behind)
            .find(|at| *at >= lift && !firing.contains(at) && !pending.contains(at))
            .ok_or_else(|| format!("{alert} does not resolve"))?;
        let received = |status: &str| self.received[&(alert.clone(), status.to_owned())] - cause;
        Ok(Real {
            scraped,
            evaluated,
            grid: -cause,
            left_open: self.left_open,
            lifted: lift - cause,
            pending: first(&pending).map_or(fired, |at| at.min(fired)) - cause,
            firing: fired - cause,
            resolved: resolved - cause,
            notified: received("firing"),
            all_clear: received("resolved"),
        })
    }
}
