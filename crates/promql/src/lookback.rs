//! How far an expression looks back.

use std::collections::BTreeMap;
use std::time::Duration;

use promql_parser::label::MatchOp;
use promql_parser::parser::{Expr, Offset, VectorSelector};

use crate::error::Error;
use crate::parse::parse;
use crate::walk::children;

/// The widest time range an expression looks back over: its largest `[range]`, or subquery range plus what is
/// inside, plus `offset`s; recording rules it reads are followed through `recorded` (name → expression).
///
/// A negative offset shortens the look back, to no less than zero. A metric chosen by a regular expression on
/// `__name__` is taken as scraped, not recorded.
///
/// # Errors
/// The parser's message, with the expression.
pub fn widest_range(expr: &str, recorded: &BTreeMap<String, String>) -> Result<Duration, Error> {
    Lookback { recorded, following: Vec::new() }.of(&parse(expr)?)
}

struct Lookback<'a> {
    recorded: &'a BTreeMap<String, String>,
    /// Recording rules being followed just now: one that leads back to itself adds nothing new.
    following: Vec<String>,
}

impl Lookback<'_> {
    fn of(&mut self, expr: &Expr) -> Result<Duration, Error> {
        match expr {
            Expr::VectorSelector(it) => Ok(shift(self.of_metric(it)?, it.offset.as_ref())),
            Expr::MatrixSelector(it) => {
                Ok(shift(it.range.saturating_add(self.of_metric(&it.vs)?), it.vs.offset.as_ref()))
            }
            Expr::Subquery(it) => Ok(shift(it.range.saturating_add(self.of(&it.expr)?), it.offset.as_ref())),
            other => {
                let mut widest = Duration::ZERO;
                for child in children(other) {
                    widest = widest.max(self.of(child)?);
                }
                Ok(widest)
            }
        }
    }

    /// What lies behind the metric itself: nothing when scraped, its rule's lookback when recorded.
    fn of_metric(&mut self, selector: &VectorSelector) -> Result<Duration, Error> {
        let Some(name) = name(selector) else { return Ok(Duration::ZERO) };
        let Some(expr) = self.recorded.get(name) else { return Ok(Duration::ZERO) };
        if self.following.iter().any(|above| above == name) {
            return Ok(Duration::ZERO);
        }
        let parsed =
            parse(expr).map_err(|error| Error::Recorded { name: name.to_owned(), error: Box::new(error) })?;
        self.following.push(name.to_owned());
        let lookback = self.of(&parsed);
        self.following.pop();
        lookback
    }
}

fn shift(lookback: Duration, offset: Option<&Offset>) -> Duration {
    match offset {
        None => lookback,
        Some(Offset::Pos(by)) => lookback.saturating_add(*by),
        Some(Offset::Neg(by)) => lookback.saturating_sub(*by),
    }
}

fn name(selector: &VectorSelector) -> Option<&str> {
    selector.name.as_deref().or_else(|| {
        let exact = |m: &&promql_parser::label::Matcher| m.name == "__name__" && m.op == MatchOp::Equal;
        selector.matchers.matchers.iter().find(exact).map(|m| m.value.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> BTreeMap<String, String> {
        [
            ("job:errors:ratio5m", "sum(rate(e[5m])) / sum(rate(r[10m]))"),
            ("outer", "max_over_time(job:errors:ratio5m[1h])"),
            ("loop:a", "loop:b + rate(x[2m])"),
            ("loop:b", "loop:a + rate(x[3m])"),
            ("broken", "rate(x["),
        ]
        .map(|(name, expr)| (name.to_owned(), expr.to_owned()))
        .into()
    }

    #[test]
    fn adds_up_what_lies_behind() {
        for (expr, seconds) in [
            ("up == 0", 0),
            ("rate(x[5m]) > 0.05", 300),
            ("rate(x[5m]) / rate(y[1h])", 3600),
            ("rate(x[5m] offset 1m)", 360),
            ("rate(x[5m] offset -1m)", 240),
            ("x offset -1m", 0),
            ("x offset 2m", 120),
            ("max_over_time(rate(x[5m])[30m:1m])", 2100),
            ("max_over_time(rate(x[5m])[30m:1m] offset 10m)", 2700),
            ("job:errors:ratio5m > 0.05", 600),
            (r#"{__name__="job:errors:ratio5m"} > 0.05"#, 600),
            ("outer > 1", 4200),
            ("outer offset 1m", 4260),
            ("loop:a > 1", 180),
            ("topk(scalar(count_over_time(x[7m])), y)", 420),
            ("-rate(x[1m30s])", 90),
            ("absent_over_time(up[2m]) or vector(1)", 120),
        ] {
            let found = widest_range(expr, &recorded()).unwrap();
            assert_eq!(found, Duration::from_secs(seconds), "{expr}");
        }
    }

    #[test]
    fn errors_name_the_expression() {
        let error = widest_range("rate(x[5q])", &recorded()).unwrap_err().to_string();
        assert!(error.contains("`rate(x[5q])`"), "{error}");
        let error = widest_range("broken > 1", &recorded()).unwrap_err().to_string();
        assert!(error.contains("recording rule broken") && error.contains("`rate(x[`"), "{error}");
        assert!(widest_range("  ", &recorded()).unwrap_err().to_string().contains("empty"));
    }

    /// Every function of Prometheus 2.42: a rule that Prometheus loads must not fail here.
    #[test]
    fn knows_the_functions_of_prometheus_2_42() {
        let over_time =
            ["absent", "avg", "count", "last", "max", "min", "present", "stddev", "stdvar", "sum"];
        let mut calls: Vec<String> =
            over_time.iter().map(|name| format!("{name}_over_time(x[5m])")).collect();
        let matrix = ["changes", "delta", "deriv", "idelta", "increase", "irate", "rate", "resets"];
        calls.extend(matrix.iter().map(|name| format!("{name}(x[5m])")));
        let vector = [
            "abs",
            "absent",
            "acos",
            "acosh",
            "asin",
            "asinh",
            "atan",
            "atanh",
            "ceil",
            "cos",
            "cosh",
            "deg",
            "exp",
            "floor",
            "histogram_count",
            "histogram_sum",
            "ln",
            "log10",
            "log2",
            "rad",
            "round",
            "scalar",
            "sgn",
            "sin",
            "sinh",
            "sort",
            "sort_desc",
            "sqrt",
            "tan",
            "tanh",
            "timestamp",
            "day_of_month",
            "day_of_week",
            "day_of_year",
            "days_in_month",
            "hour",
            "minute",
            "month",
            "year",
        ];
        calls.extend(vector.iter().map(|name| format!("{name}(x)")));
        let dates = [
            "day_of_month",
            "day_of_week",
            "day_of_year",
            "days_in_month",
            "hour",
            "minute",
            "month",
            "year",
        ];
        calls.extend(dates.iter().map(|name| format!("{name}()")));
        calls.extend(
            [
                "clamp(x, 0, 1)",
                "clamp_max(x, 1)",
                "clamp_min(x, 0)",
                "histogram_fraction(0, 1, x)",
                "histogram_quantile(0.9, x)",
                "holt_winters(x[5m], 0.5, 0.5)",
                r#"label_join(x, "a", ",", "b", "c")"#,
                r#"label_replace(x, "a", "$1", "b", "(.*)")"#,
                "pi()",
                "predict_linear(x[5m], 3600)",
                "quantile_over_time(0.5, x[5m])",
                "round(x, 5)",
                "time()",
                "vector(1)",
                "x atan2 y",
                r#"count_values("v", x)"#,
                "group(x)",
                "stddev(x)",
                "stdvar(x)",
                "quantile(0.5, x)",
                "x @ end()",
                "x @ start()",
                "bottomk(3, x)",
            ]
            .map(str::to_owned),
        );
        for call in calls {
            assert!(
                widest_range(&call, &BTreeMap::new()).is_ok(),
                "{call}: {:?}",
                widest_range(&call, &BTreeMap::new())
            );
        }
    }
}
