//! Thresholds of a run: `p99<250ms`, `service.p50<=10ms`, `failed<1%`, `rate>=95/s`.

use crate::error::LoadError;
use hdrhistogram::Histogram;

use crate::format;
use crate::record::Ledger;
use crate::record::window::{Latencies, NAMES};
use common::duration;
use common::rate::Rate;

/// A bound on one figure of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The threshold as written.
    pub text: String,
    metric: Metric,
    comparison: Comparison,
    /// In seconds, as a ratio from 0 to 1, or per second.
    bound: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric {
    /// Its index in [`NAMES`].
    Latency(usize, Statistic),
    Share(Share),
    Rate,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Statistic {
    Min,
    Mean,
    Max,
    Quantile(f64),
}

/// A share of the scheduled arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Arrivals without an expected response.
    Failed,
    /// Responses with an unexpected status.
    Unexpected,
    /// Transport and local errors.
    Errors,
    /// Not sent because too many were in flight.
    Shed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// The measurements that thresholds are evaluated against.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// The four latencies.
    pub latencies: &'a Latencies,
    /// Arrivals by outcome; during a run, only the completed ones.
    pub ledger: &'a Ledger,
    /// Requests sent per second.
    pub rate: f64,
}

impl Threshold {
    /// The measured value in base units; none if nothing was measured.
    #[must_use]
    pub fn value(&self, measured: &Measured<'_>) -> Option<f64> {
        match self.metric {
            Metric::Latency(latency, statistic) => statistic.of(measured.latencies.each()[latency]),
            Metric::Share(share) => share.of(measured.ledger),
            Metric::Rate => Some(measured.rate),
        }
    }

    /// Whether a value meets the threshold. A missing value does not.
    #[must_use]
    pub fn holds(&self, value: Option<f64>) -> bool {
        value.is_some_and(|value| match self.comparison {
            Comparison::Below => value < self.bound,
            Comparison::AtMost => value <= self.bound,
            Comparison::Above => value > self.bound,
            Comparison::AtLeast => value >= self.bound,
        })
    }

    /// Whether crossing it may end a run early. A lower bound can only be checked at the end, as a ramp starts low.
    #[must_use]
    pub fn may_abort(&self) -> bool {
        matches!(self.comparison, Comparison::Below | Comparison::AtMost) && self.metric != Metric::Rate
    }

    /// The share that it bounds from above. Such a share alone does not fail the run.
    #[must_use]
    pub fn tolerates(&self) -> Option<Share> {
        match self.metric {
            Metric::Share(share) if self.may_abort() => Some(share),
            _ => None,
        }
    }

    /// A value in human-readable form.
    #[must_use]
    pub fn readable(&self, value: Option<f64>) -> String {
        match (self.metric, value) {
            (_, None) => "nothing measured".to_owned(),
            (Metric::Latency(..), value) => format::latency(value),
            (Metric::Share(_), Some(share)) => format!("{:.2} %", share * 100.0),
            (Metric::Rate, Some(rate)) => format::rate(rate),
        }
    }

    /// The unit of its value: `seconds`, `ratio` or `per_second`.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self.metric {
            Metric::Latency(..) => "seconds",
            Metric::Share(_) => "ratio",
            Metric::Rate => "per_second",
        }
    }
}

impl Statistic {
    fn of(self, histogram: &Histogram<u64>) -> Option<f64> {
        let nanos = match self {
            Self::Min => histogram.min() as f64,
            Self::Mean => histogram.mean(),
            Self::Max => histogram.max() as f64,
            Self::Quantile(quantile) => histogram.value_at_quantile(quantile) as f64,
        };
        (!histogram.is_empty()).then_some(nanos / 1e9)
    }

    /// None when `text` is not a statistic; an error when it is an invalid percentile.
    fn read(text: &str) -> Result<Option<Self>, LoadError> {
        let statistic = match text {
            "min" => Some(Self::Min),
            "mean" | "avg" => Some(Self::Mean),
            "max" => Some(Self::Max),
            "med" | "median" => Some(Self::Quantile(0.5)),
            _ => None,
        };
        if statistic.is_some() {
            return Ok(statistic);
        }
        let Some(digits) = text.strip_prefix('p') else { return Ok(None) };
        let digits = digits.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(digits);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Ok(None);
        }
        // Reports write p99.9 as p999 and p99.99 as p9999.
        let nines = digits.len() > 2 && digits.bytes().all(|byte| byte == b'9');
        let number = if nines { format!("99.{}", &digits[2..]) } else { digits.to_owned() };
        match number.parse::<f64>() {
            Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(Some(Self::Quantile(percent / 100.0))),
            _ => Err(LoadError::Threshold(format!(
                "`{text}` is not a percentile: expected a number above 0 and at most 100, such as p99 or p99.5; p999 means \
                 p99.9 and p9999 means p99.99"
            ))),
        }
    }
}

impl Share {
    fn of(self, ledger: &Ledger) -> Option<f64> {
        let part = match self {
            Self::Failed => ledger.scheduled.saturating_sub(ledger.expected),
            Self::Unexpected => ledger.unexpected,
            Self::Errors => ledger.transport_errors + ledger.local_errors,
            Self::Shed => ledger.shed,
        };
        (ledger.scheduled > 0).then(|| part as f64 / ledger.scheduled as f64)
    }
}

impl Metric {
    /// None when `text` is not a metric.
    fn read(text: &str) -> Result<Option<Self>, LoadError> {
        let share = match text {
            "failed" => Some(Share::Failed),
            "unexpected" => Some(Share::Unexpected),
            "errors" => Some(Share::Errors),
            "shed" => Some(Share::Shed),
            "rate" => return Ok(Some(Self::Rate)),
            _ => None,
        };
        if let Some(share) = share {
            return Ok(Some(Self::Share(share)));
        }
        // Splitting at the first dot would be wrong: p99.9 contains one too.
        let of = |(place, (name, _)): (usize, (&str, _))| {
            Some((place, text.strip_prefix(name)?.strip_prefix('.')?))
        };
        let (latency, statistic) = NAMES.into_iter().enumerate().find_map(of).unwrap_or((0, text));
        Ok(Statistic::read(statistic)?.map(|statistic| Self::Latency(latency, statistic)))
    }

    fn bound(self, text: &str) -> Result<f64, LoadError> {
        match self {
            Self::Latency(..) => {
                let fraction = || {
                    [("ms", 1e3), ("us", 1e6), ("µs", 1e6), ("s", 1.0)].into_iter().find_map(
                        |(unit, part)| {
                            let number: f64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
                            (number.is_finite() && number >= 0.0).then_some(number / part)
                        },
                    )
                };
                let whole = || Ok(duration::parse(text).map_err(unreadable)?.as_secs_f64());
                fraction().map_or_else(whole, Ok)
            }
            Self::Share(_) => {
                let (number, whole) =
                    text.strip_suffix('%').map_or((text, 1.0), |number| (number.trim_end(), 100.0));
                let share = number.parse::<f64>().ok().map(|number| number / whole);
                share.filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| {
                    LoadError::Threshold(format!(
                        "`{text}` is not a share: expected a percentage such as 1% or a number from 0 to 1"
                    ))
                })
            }
            Self::Rate => Ok(text.parse::<Rate>().map_err(unreadable)?.per_second()),
        }
    }
}

fn unreadable(error: common::Error) -> LoadError {
    LoadError::Threshold(error.to_string())
}

impl std::str::FromStr for Threshold {
    type Err = LoadError;

    fn from_str(text: &str) -> Result<Self, LoadError> {
        let expected = "expected a metric, one of < <= > >=, and a bound, such as p99<250ms, service.p50<=10ms, failed<1% \
                        or rate>=95/s";
        let comparisons = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Below),
            (">", Comparison::Above),
        ];
        let parts = comparisons.into_iter().find_map(|(sign, comparison)| {
            let (metric, bound) = text.split_once(sign)?;
            Some((metric.trim(), comparison, bound.trim()))
        });
        let (name, comparison, bound) =
            parts.ok_or_else(|| LoadError::Threshold(format!("`{text}` is not a threshold: {expected}")))?;
        let metric = Metric::read(name)?.ok_or_else(|| {
            LoadError::Threshold(format!(
                "`{name}` is not a metric: expected min, mean, max or a percentile such as p99 or p99.9, optionally prefixed \
                 with service., pacer_lag. or connection_wait. (default: response time), or failed, unexpected, \
                 errors, shed or rate"
            ))
        })?;
        Ok(Self { text: text.trim().to_owned(), metric, comparison, bound: metric.bound(bound)? })
    }
}

#[cfg(test)]
#[path = "threshold_tests.rs"]
mod tests;
