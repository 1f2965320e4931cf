//! Ranges of an expression, and how many samples they need.

use std::time::Duration;

use promql_parser::parser::Expr;

/// Functions that have no result from a single sample.
const OF_TWO: [&str; 9] = [
    "delta",
    "deriv",
    "double_exponential_smoothing",
    "holt_winters",
    "idelta",
    "increase",
    "irate",
    "predict_linear",
    "rate",
];

/// A range or subquery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The function of it, as `rate(x[5m])`.
    pub text: String,
    /// Its length.
    pub length: Duration,
    /// The step of a subquery.
    pub step: Option<Duration>,
    /// How many samples its function needs for a result.
    pub needs: u32,
}

impl Range {
    pub(crate) fn of(call: Option<&Expr>, length: Duration, step: Option<Duration>) -> Self {
        let name = match call {
            Some(Expr::Call(call)) => call.func.name,
            _ => "",
        };
        let needs = if OF_TWO.contains(&name) { 2 } else { 1 };
        Self { text: call.map(ToString::to_string).unwrap_or_default(), length, step, needs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reads;

    #[test]
    fn knows_what_ranges_need() {
        for (expr, expected) in [
            ("x", &[][..]),
            ("rate(x[5s])", &[("rate(x[5s])", 5, None, 2)]),
            ("max_over_time(x[5s])", &[("max_over_time(x[5s])", 5, None, 1)]),
            ("sum(increase((x[1m])))", &[("increase((x[1m]))", 60, None, 2)]),
            ("holt_winters(x[1m], 0.5, 0.5)", &[("holt_winters(x[1m], 0.5, 0.5)", 60, None, 2)]),
            (
                "deriv(avg_over_time(x[10s])[1m:20s])",
                &[
                    ("deriv(avg_over_time(x[10s])[1m:20s])", 60, Some(20), 2),
                    ("avg_over_time(x[10s])", 10, None, 1),
                ],
            ),
            ("max_over_time(sum(x)[1m:])", &[("max_over_time(sum(x)[1m:])", 60, Some(30), 1)]),
        ] {
            let found = reads(expr, Duration::from_secs(30)).unwrap();
            let found: Vec<_> = found[0]
                .ranges
                .iter()
                .map(|it| {
                    (it.text.as_str(), it.length.as_secs(), it.step.map(|step| step.as_secs()), it.needs)
                })
                .collect();
            assert_eq!(found, expected, "{expr}");
        }
    }

    #[test]
    fn knows_what_an_expression_can_do_without() {
        for (expr, expected) in [
            ("x > 0 and y > 0", &[false, false][..]),
            ("x > 0 or y > 0", &[true, true]),
            ("x > 0 unless y > 0", &[false, true]),
            ("absent(x) * y", &[true, false]),
            ("sum(x or vector(0)) > 0", &[true]),
        ] {
            let found: Vec<_> =
                reads(expr, Duration::from_secs(30)).unwrap().iter().map(|it| it.optional).collect();
            assert_eq!(found, expected, "{expr}");
        }
    }
}
