//! The series an expression reads, and their lookback.

use std::time::Duration;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::token::{T_LOR, T_LUNLESS};
use promql_parser::parser::{Expr, Offset, SubqueryExpr, VectorSelector};

use crate::clock::is_moment;
use crate::error::Error;
use crate::parse::parse;
use crate::ranges::Range;
use crate::walk::children;

/// A selector of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The metric name; `None` if selected by a regular expression.
    pub metric: Option<String>,
    /// The selector as a query, without its range, `offset` and `@`.
    pub text: String,
    /// The lookback in milliseconds: how long after a change the selector still reads older samples. It is the sum of
    /// the range, the ranges and steps of enclosing subqueries, and all offsets, of which negative ones are subtracted.
    pub lookback_ms: i64,
    /// Whether it is read at other instants than the evaluation's: with an `offset` or inside a subquery.
    pub shifted: bool,
    /// The ranges it is in: those of the enclosing subqueries, from the outside, then its own.
    pub ranges: Vec<Range>,
    /// Whether the expression can have a result without it: it is on a side of `or`, behind `unless`, or in `absent`.
    pub optional: bool,
    matchers: Vec<Matcher>,
}

impl Read {
    /// Whether the selector may match a series whose `label` has this value; `""` means a missing label.
    #[must_use]
    pub fn accepts(&self, label: &str, value: &str) -> bool {
        let named = label != "__name__" || self.metric.as_deref().is_none_or(|metric| metric == value);
        named && self.matchers.iter().filter(|it| it.name == label).all(|it| it.is_match(value))
    }

    /// The value of an equality matcher for `label`, if any.
    #[must_use]
    pub fn exactly(&self, label: &str) -> Option<&str> {
        let mut matchers = self.matchers.iter();
        matchers.find(|it| it.name == label && it.op == MatchOp::Equal).map(|it| it.value.as_str())
    }
}

/// Every selector of an expression, left to right. `step` is the default step of subqueries, the global evaluation
/// interval. Selectors with a fixed time (`@ 1700000000`) are omitted, as their samples no longer change.
///
/// # Errors
/// The parser's message, with the expression.
pub fn reads(expr: &str, step: Duration) -> Result<Vec<Read>, Error> {
    Ok(collect(&parse(expr)?, step))
}

/// What is around a part of an expression.
#[derive(Clone, Default)]
struct Around<'a> {
    lookback_ms: i64,
    shifted: bool,
    ranges: Vec<Range>,
    optional: bool,
    /// The innermost function.
    call: Option<&'a Expr>,
}

/// It keeps a list of what is left instead of calling itself: an expression may be nested too deeply for the stack.
fn collect(root: &Expr, step: Duration) -> Vec<Read> {
    let mut found = Vec::new();
    let mut rest = vec![(root, Around::default())];
    while let Some((expr, around)) = rest.pop() {
        let call = around.call;
        match expr {
            Expr::VectorSelector(it) => found.extend(read(it, around)),
            Expr::MatrixSelector(it) => {
                let mut inside = around;
                inside.lookback_ms = inside.lookback_ms.saturating_add(ms(it.range));
                inside.ranges.push(Range::of(call, it.range, None));
                found.extend(read(&it.vs, inside));
            }
            Expr::Subquery(it) if is_moment(it.at.as_ref()) => {}
            Expr::Subquery(it) => {
                let mut inside = Around { shifted: true, call: None, ..around };
                inside.lookback_ms = inside.lookback_ms.saturating_add(behind(it, step));
                inside.ranges.push(Range::of(call, it.range, Some(it.step.unwrap_or(step))));
                rest.push((&it.expr, inside));
            }
            Expr::Binary(it) if matches!(it.op.id(), T_LOR | T_LUNLESS) => {
                let inside = Around { optional: true, ..around.clone() };
                let left = if it.op.id() == T_LOR { inside.clone() } else { around };
                rest.push((&it.rhs, inside));
                rest.push((&it.lhs, left));
            }
            Expr::Call(it) => {
                let optional = around.optional || it.func.name.starts_with("absent");
                let inside = Around { optional, call: Some(expr), ..around };
                rest.extend(children(expr).into_iter().rev().map(|child| (child, inside.clone())));
            }
            other => rest.extend(children(other).into_iter().rev().map(|child| (child, around.clone()))),
        }
    }
    found
}

fn read(selector: &VectorSelector, around: Around<'_>) -> Option<Read> {
    if is_moment(selector.at.as_ref()) {
        return None;
    }
    let matchers = selector.matchers.matchers.clone();
    let bare = VectorSelector { offset: None, at: None, ..selector.clone() };
    let shift = shift(selector.offset.as_ref());
    let Around { lookback_ms, shifted, ranges, optional, .. } = around;
    let (lookback_ms, shifted) = (lookback_ms.saturating_add(shift), shifted || shift != 0);
    let (metric, text) = (selector.name.clone(), bare.to_string());
    let read = Read { metric, text, lookback_ms, shifted, ranges, optional, matchers };
    let metric = read.metric.clone().or_else(|| read.exactly("__name__").map(str::to_owned));
    Some(Read { metric, ..read })
}

/// The lookback of a subquery. It is evaluated at multiples of its step, which adds up to one step.
fn behind(subquery: &SubqueryExpr, step: Duration) -> i64 {
    let step = ms(subquery.step.unwrap_or(step));
    ms(subquery.range).saturating_add(step).saturating_add(shift(subquery.offset.as_ref()))
}

fn shift(offset: Option<&Offset>) -> i64 {
    match offset {
        None => 0,
        Some(Offset::Pos(by)) => ms(*by),
        Some(Offset::Neg(by)) => -ms(*by),
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn adds_up_the_lookback() {
        for (expr, expected) in [
            ("up == 0", &[("up", 0)][..]),
            ("rate(x[5m]) > 0.05", &[("x", 300)]),
            ("rate(x[5m]) / rate(y[1h])", &[("x", 300), ("y", 3600)]),
            ("rate(x[5m] offset 1m)", &[("x", 360)]),
            ("rate(x[5m] offset -1m)", &[("x", 240)]),
            ("x offset -1m", &[("x", -60)]),
            ("max_over_time(rate(x[5m])[30m:1m])", &[("x", 2160)]),
            ("max_over_time(x[30m:10s] offset 10m)", &[("x", 2410)]),
            ("max_over_time(x[30m:])", &[("x", 1860)]),
            ("max_over_time((x offset -1m)[5m:30s])", &[("x", 270)]),
            (r#"{__name__="x"} > 0.05"#, &[("x", 0)]),
            ("topk(scalar(count_over_time(x[7m])), y)", &[("x", 420), ("y", 0)]),
            ("absent_over_time(up[2m]) or vector(1)", &[("up", 120)]),
            ("x @ 1700000000 > y", &[("y", 0)]),
            ("max_over_time(x[5m:1m] @ 1700000000) > y @ end()", &[("y", 0)]),
            ("vector(time()) > 5", &[]),
        ] {
            let found = reads(expr, MINUTE).unwrap();
            let found: Vec<_> =
                found.iter().map(|it| (it.metric.as_deref().unwrap(), it.lookback_ms / 1000)).collect();
            assert_eq!(found, expected, "{expr}");
        }
    }

    #[test]
    fn accepts_series_that_match() {
        let expr = r#"ALERTS{alertname=~"A|B", alertstate!="pending"} and {__name__=~"job:.*", job="api"}"#;
        let found = reads(expr, MINUTE).unwrap();
        for (read, label, value, accepts) in [
            (0, "__name__", "ALERTS", true),
            (0, "__name__", "ALERTS_FOR_STATE", false),
            (0, "alertname", "A", true),
            (0, "alertname", "AB", false),
            (0, "alertstate", "firing", true),
            (0, "alertstate", "pending", false),
            (1, "__name__", "job:errors", true),
            (1, "__name__", "errors", false),
            (1, "other", "", true),
        ] {
            assert_eq!(found[read].accepts(label, value), accepts, "{label}={value}");
        }
        assert_eq!((found[1].metric.as_deref(), found[1].exactly("job")), (None, Some("api")));
    }

    #[test]
    fn errors_name_the_expression() {
        let error = reads("rate(x[5q])", MINUTE).unwrap_err().to_string();
        assert!(error.contains("`rate(x[5q])`"), "{error}");
        assert!(reads("  ", MINUTE).unwrap_err().to_string().contains("empty"));
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
        ];
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
        calls.extend(vector.iter().chain(&dates).map(|name| format!("{name}(x)")));
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
            assert!(reads(&call, MINUTE).is_ok(), "{call}: {:?}", reads(&call, MINUTE));
        }
    }
}
