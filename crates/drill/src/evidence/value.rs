//! A rule's value during a drill, compared with its threshold.

use jiff::Timestamp;
use serde::Serialize;

use clients::prometheus::{Labels, Series};
use promql::Threshold;

/// The left side of a rule's comparison during a drill.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Value {
    /// The queried expression.
    pub expr: String,
    /// The operator, such as `>`; `None` without a comparison.
    pub operator: Option<String>,
    /// The number on the right side.
    pub threshold: Option<f64>,
    /// At each step, the value of the series nearest to meeting the comparison.
    pub points: Vec<(Timestamp, f64)>,
}

impl Value {
    /// Reduces several series to the value nearest to meeting the comparison at each step.
    #[must_use]
    pub fn of(expr: &str, threshold: Option<&Threshold>, series: &[Series]) -> Self {
        let operator = threshold.map(|threshold| threshold.operator.clone());
        let low = operator.as_deref().is_some_and(|operator| operator.starts_with('<'));
        let mut points = std::collections::BTreeMap::new();
        for (at, value) in
            series.iter().flat_map(|series| &series.samples).filter(|(_, value)| !value.is_nan())
        {
            let held = points.entry(*at).or_insert(*value);
            *held = if low { held.min(*value) } else { held.max(*value) };
        }
        Self {
            expr: expr.to_owned(),
            operator,
            threshold: threshold.map(|threshold| threshold.value),
            points: points.into_iter().collect(),
        }
    }

    /// The value nearest to meeting the comparison; `None` without values.
    #[must_use]
    pub fn best(&self) -> Option<f64> {
        let values = self.points.iter().map(|(_, value)| *value);
        if self.operator.as_deref().is_some_and(|operator| operator.starts_with('<')) {
            values.reduce(f64::min)
        } else {
            values.reduce(f64::max)
        }
    }

    /// Whether any value met the comparison.
    #[must_use]
    pub fn crossed(&self) -> bool {
        let (Some(operator), Some(threshold)) = (self.operator.as_deref(), self.threshold) else {
            return false;
        };
        self.points.iter().any(|(_, value)| match operator {
            ">" => *value > threshold,
            ">=" => *value >= threshold,
            "<" => *value < threshold,
            "<=" => *value <= threshold,
            "==" => *value == threshold,
            _ => *value != threshold,
        })
    }
}

/// Facts that explain a verdict.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// The rule's value.
    pub value: Value,
    /// Metrics of the expression without any series.
    pub unknown_metrics: Vec<String>,
    /// Selectors without matching series although their metric exists.
    pub unmatched: Vec<String>,
    /// The error of the rule's last evaluation; empty if there was none.
    pub rule_error: String,
    /// Labels of active alerts of this rule that lack labels the drill demands.
    pub unlike: Vec<Labels>,
    /// When the whole expression had a result; only queried where the rule may be evaluated in the past without Prometheus
    /// saying so.
    pub holds: Vec<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn series(values: &[(i64, f64)]) -> Series {
        Series {
            labels: Labels::new(),
            samples: values.iter().map(|(time, value)| (at(*time), *value)).collect(),
        }
    }

    #[test]
    fn takes_the_value_nearest_to_the_comparison() {
        let all = [series(&[(0, 0.01), (1, f64::NAN), (2, 0.03)]), series(&[(0, 0.02), (1, 0.01)])];
        for (operator, value, points, best, crossed) in [
            (">", 0.02, [0.02, 0.01, 0.03], 0.03, true),
            (">", 0.03, [0.02, 0.01, 0.03], 0.03, false),
            (">=", 0.03, [0.02, 0.01, 0.03], 0.03, true),
            ("<", 0.01, [0.01, 0.01, 0.03], 0.01, false),
            ("<=", 0.01, [0.01, 0.01, 0.03], 0.01, true),
            ("==", 0.03, [0.02, 0.01, 0.03], 0.03, true),
            ("!=", 0.5, [0.02, 0.01, 0.03], 0.03, true),
        ] {
            let threshold = Threshold { left: "x".into(), operator: operator.into(), value };
            let seen = Value::of("x", Some(&threshold), &all);
            assert_eq!(seen.points.iter().map(|(_, value)| *value).collect::<Vec<_>>(), points, "{operator}");
            assert_eq!((seen.best(), seen.crossed()), (Some(best), crossed), "{operator} {value}");
        }
        assert_eq!(Value::of("x", None, &[series(&[(1, f64::NAN)])]).best(), None);
    }
}
