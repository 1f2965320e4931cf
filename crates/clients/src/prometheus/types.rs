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
    #[serde(default)]
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
    /// vmalert's `eval_delay` of the group.
    #[serde(default, deserialize_with = "seconds_option")]
    pub eval_delay: Option<Duration>,
    /// How old the newest samples that its rules read may be, beyond the scrape interval: zero until set.
    #[serde(skip)]
    pub unseen: Duration,
    /// How long after an evaluation its results can be read, where they are sent elsewhere to be stored; `None` where they
    /// can be read at once, by later rules of the same evaluation too.
    #[serde(skip)]
    pub stored_after: Option<Duration>,
    /// How much earlier than the evaluation the timestamps of its results may be: zero until set.
    #[serde(skip)]
    pub stamped_early: Duration,
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
    #[serde(default, rename = "keepFiringFor", alias = "keep_firing_for", deserialize_with = "seconds")]
    pub keep_firing: Duration,
    /// Labels added by the rule.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: Labels,
    /// `inactive`, `pending` or `firing`. An empty state is rejected later.
    #[serde(default)]
    pub state: String,
    /// Pending and firing alerts.
    #[serde(default, deserialize_with = "active")]
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
    /// Value of the expression; NaN where there is none.
    #[serde(deserialize_with = "number_or_none")]
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
    /// Scrape interval; `None` where it is not reported.
    #[serde(default, deserialize_with = "duration::deserialize_option")]
    pub scrape_interval: Option<Duration>,
}

/// What a server says of its build; everything is empty where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Build {
    /// The product, such as `Grafana Mimir`; Prometheus names none.
    pub application: String,
    /// Its version.
    pub version: String,
    /// The version of Go that compiled it.
    pub go_version: String,
}

impl Build {
    /// Major and minor version; `None` where the version does not begin with two numbers.
    #[must_use]
    pub fn numbers(&self) -> Option<(u32, u32)> {
        let mut numbers = self.version.split('.').map(str::parse::<u32>);
        numbers.next().zip(numbers.next()).and_then(|(major, minor)| major.ok().zip(minor.ok()))
    }
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

/// Alerts without those that Grafana lists as `Normal`, in the words of Prometheus.
fn active<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ActiveAlert>, D::Error> {
    let all: Vec<serde_json::Value> = or_default(from)?;
    let mut found = Vec::new();
    for mut alert in all {
        let state = alert["state"].as_str().unwrap_or_default().to_ascii_lowercase();
        if matches!(state.as_str(), "normal" | "inactive") {
            continue;
        }
        // Grafana keeps a recovering alert firing.
        let fires = state.starts_with("alerting") || state == "recovering";
        alert["state"] = if fires { "firing".into() } else { state.into() };
        found.push(serde_json::from_value(alert).map_err(de::Error::custom)?);
    }
    Ok(found)
}

fn number_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(f64::NAN);
    }
    number(de::value::StringDeserializer::new(text))
}

fn seconds_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let Some(seconds) = Option::<f64>::deserialize(from)? else { return Ok(None) };
    Duration::try_from_secs_f64(seconds)
        .map(Some)
        .map_err(|error| de::Error::custom(format!("{seconds} s: {error}")))
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
