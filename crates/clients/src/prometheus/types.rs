//! Types of Prometheus's API, with durations and numbers already parsed.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};

use common::duration;

/// Labels of a series, alert or target.
pub type Labels = BTreeMap<String, String>;

/// A rule group as loaded.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RuleGroup {
    /// Group name.
    pub name: String,
    /// File it was loaded from.
    pub file: String,
    /// Evaluation interval.
    #[serde(deserialize_with = "seconds")]
    pub interval: Duration,
    /// Start of the last evaluation; `None` before the first.
    #[serde(default, rename = "lastEvaluation", deserialize_with = "since_zero")]
    pub last_evaluation: Option<Timestamp>,
    /// How far in the past it is evaluated. The API does not report it: zero until set.
    #[serde(skip)]
    pub query_offset: Duration,
    /// Rules in evaluation order.
    #[serde(default, deserialize_with = "or_default")]
    pub rules: Vec<Rule>,
}

/// A rule as loaded.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Alert name or recorded metric.
    pub name: String,
    /// The expression, as Prometheus prints it.
    pub query: String,
    /// `ok`, `err` or `unknown` (not evaluated yet).
    pub health: String,
    /// The last evaluation error; empty if none.
    #[serde(default)]
    pub last_error: String,
    /// Time of the last evaluation; `None` before the first.
    #[serde(default, deserialize_with = "since_zero")]
    pub last_evaluation: Option<Timestamp>,
    /// `None` for recording rules.
    #[serde(flatten, deserialize_with = "alerting")]
    pub alerting: Option<Alerting>,
}

/// Fields of alerting rules only.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alerting {
    /// `for:`
    #[serde(default, rename = "duration", deserialize_with = "seconds")]
    pub hold: Duration,
    /// `keep_firing_for:`; missing in older versions.
    #[serde(default, rename = "keepFiringFor", deserialize_with = "seconds")]
    pub keep_firing: Duration,
    /// Labels added by the rule.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: Labels,
    /// `inactive`, `pending` or `firing`. An empty state is rejected later.
    #[serde(default)]
    pub state: String,
    /// Pending and firing alerts.
    #[serde(default, deserialize_with = "or_default")]
    pub alerts: Vec<ActiveAlert>,
}

/// A pending or firing alert.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveAlert {
    /// All labels, including `alertname`.
    pub labels: Labels,
    /// `pending` or `firing`.
    pub state: String,
    /// Time it became pending.
    pub active_at: Timestamp,
    /// Value of the expression.
    #[serde(deserialize_with = "number")]
    pub value: f64,
}

/// A scrape target.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Its job.
    #[serde(rename = "scrapePool")]
    pub job: String,
    /// Its URL.
    pub scrape_url: String,
    /// `up`, `down` or `unknown`.
    pub health: String,
    /// The last scrape error.
    #[serde(default)]
    pub last_error: String,
    /// Time of the last scrape.
    #[serde(default, deserialize_with = "since_zero")]
    pub last_scrape: Option<Timestamp>,
    /// Scrape interval.
    #[serde(deserialize_with = "duration::deserialize")]
    pub scrape_interval: Duration,
}

/// A series with its samples, oldest first.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "WireSeries")]
pub struct Series {
    /// Its labels, including `__name__`.
    pub labels: Labels,
    /// Timestamps and values.
    pub samples: Vec<(Timestamp, f64)>,
}

/// A series of a vector has `value`, of a matrix `values`, of a native histogram neither.
#[derive(Deserialize)]
struct WireSeries {
    metric: Labels,
    value: Option<Sample>,
    #[serde(default)]
    values: Vec<Sample>,
}

impl From<WireSeries> for Series {
    fn from(wire: WireSeries) -> Self {
        let samples = wire.value.into_iter().chain(wire.values).map(|Sample(at, value)| (at, value));
        Self { labels: wire.metric, samples: samples.collect() }
    }
}

/// A sample: seconds since 1970, and the value as text.
#[derive(Deserialize)]
pub struct Sample(
    #[serde(deserialize_with = "instant")] pub Timestamp,
    #[serde(deserialize_with = "number")] pub f64,
);

fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let at = f64::deserialize(from)?;
    // Prometheus stores milliseconds. A float holds current timestamps precisely enough to round to them.
    #[allow(clippy::cast_possible_truncation)] // saturates; from_millisecond rejects values out of range
    let millis = (at * 1000.0).round() as i64;
    Timestamp::from_millisecond(millis)
        .map_err(|error| de::Error::custom(format!("invalid time {at}: {error}")))
}

/// Parses numbers as printed by Go, including `NaN`, `+Inf`, `-Inf` and `1e+00`.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| de::Error::custom(format!("{text:?} is not a number")))
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(from)?;
    Duration::try_from_secs_f64(seconds).map_err(|error| de::Error::custom(format!("{seconds} s: {error}")))
}

/// Go's zero time, year 1, means never.
fn since_zero<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<Timestamp>::deserialize(from)?.filter(|at| *at > Timestamp::UNIX_EPOCH))
}

/// Go writes an empty list or map as `null`.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

fn alerting<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Alerting>, D::Error> {
    #[derive(Deserialize)]
    #[serde(tag = "type", rename_all = "lowercase")]
    enum Kind {
        Alerting(Alerting),
        #[serde(other)]
        Recording,
    }
    Ok(match Kind::deserialize(from)? {
        Kind::Alerting(alerting) => Some(alerting),
        Kind::Recording => None,
    })
}
