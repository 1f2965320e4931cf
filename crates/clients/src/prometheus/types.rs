//! What Prometheus says of itself, with units settled: durations as durations, numbers as numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

/// Labels of a series, alert or target.
pub type Labels = BTreeMap<String, String>;

/// A rule group as loaded.
#[derive(Debug, Clone)]
pub struct RuleGroup {
    /// Group name.
    pub name: String,
    /// File it was loaded from.
    pub file: String,
    /// Evaluation interval E.
    pub interval: Duration,
    /// In evaluation order.
    pub rules: Vec<Rule>,
}

/// One rule as loaded.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Alert name or recorded metric.
    pub name: String,
    /// The expression, as Prometheus prints it.
    pub query: String,
    /// `ok`, `err` or `unknown` (not evaluated yet).
    pub health: String,
    /// The last evaluation error, empty when there is none.
    pub last_error: String,
    /// When it was last evaluated; `None` before the first time.
    pub last_evaluation: Option<Timestamp>,
    /// `None` for recording rules.
    pub alerting: Option<Alerting>,
}

/// What only alerting rules have.
#[derive(Debug, Clone)]
pub struct Alerting {
    /// `for:`
    pub hold: Duration,
    /// `keep_firing_for:`
    pub keep_firing: Duration,
    /// Labels the rule adds.
    pub labels: Labels,
    /// `inactive`, `pending` or `firing`.
    pub state: String,
    /// Active alerts, pending or firing.
    pub alerts: Vec<ActiveAlert>,
}

/// A pending or firing alert.
#[derive(Debug, Clone)]
pub struct ActiveAlert {
    /// All labels, `alertname` included.
    pub labels: Labels,
    /// `pending` or `firing`.
    pub state: String,
    /// When it became pending.
    pub active_at: Timestamp,
    /// The expression's value.
    pub value: f64,
}

/// A scrape target.
#[derive(Debug, Clone)]
pub struct Target {
    /// The job it belongs to.
    pub job: String,
    /// Its URL.
    pub scrape_url: String,
    /// `up`, `down` or `unknown`.
    pub health: String,
    /// Why it is down.
    pub last_error: String,
    /// The last scrape.
    pub last_scrape: Option<Timestamp>,
    /// How often this target is scraped (S).
    pub scrape_interval: Duration,
}

/// A series with samples, oldest first.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its labels, `__name__` included.
    pub labels: Labels,
    /// Time and value.
    pub samples: Vec<(Timestamp, f64)>,
}
