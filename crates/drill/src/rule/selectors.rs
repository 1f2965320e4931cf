//! Which metrics an expression reads, so that a name that no series has can be pointed at.

use crate::error::DrillError;
use std::collections::{BTreeMap, BTreeSet};

use promql_parser::label::MatchOp;
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};

/// A selector of an expression, without its range and offset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// The metric's name.
    pub metric: String,
    /// As it can be queried: `metric{label="value"}`.
    pub text: String,
    /// The job it is bound to, when it names exactly one.
    pub job: Option<String>,
}

/// Every selector that names a metric, each once; recording rules are followed through `recorded`
/// (name → expression) down to what is scraped.
///
/// # Errors
/// The parser's message, with the expression.
pub fn selectors(expr: &str, recorded: &BTreeMap<String, String>) -> Result<Vec<Selector>, DrillError> {
    let mut found = BTreeSet::new();
    let mut followed = BTreeSet::new();
    let mut open = vec![expr.to_owned()];
    while let Some(expr) = open.pop() {
        let parsed = parser::parse(&expr).map_err(|error| DrillError::Rule(format!("`{expr}`: {error}")))?;
        let mut collect = Collect(Vec::new());
        // The visitor has no error of its own, and a cut-short walk would only come from `pre_visit`.
        let Ok(_) = walk_expr(&mut collect, &parsed);
        for selector in collect.0 {
            match recorded.get(&selector.metric) {
                Some(expr) if followed.insert(selector.metric.clone()) => open.push(expr.clone()),
                Some(_) => {}
                None => {
                    found.insert(selector);
                }
            }
        }
    }
    Ok(found.into_iter().collect())
}

struct Collect(Vec<Selector>);

impl ExprVisitor for Collect {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        match expr {
            Expr::VectorSelector(selector) => self.0.extend(read(selector)),
            Expr::MatrixSelector(matrix) => self.0.extend(read(&matrix.vs)),
            _ => {}
        }
        Ok(true)
    }
}

fn read(selector: &VectorSelector) -> Option<Selector> {
    let equal = |name: &str| {
        let mut matchers = selector.matchers.matchers.iter();
        matchers.find(|matcher| matcher.name == name && matches!(matcher.op, MatchOp::Equal))
    };
    let metric = selector.name.clone().or_else(|| equal("__name__").map(|matcher| matcher.value.clone()))?;
    let job = equal("job").map(|matcher| matcher.value.clone());
    let bare = VectorSelector { offset: None, at: None, ..selector.clone() };
    Some(Selector { metric, text: bare.to_string(), job })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_of_expressions() {
        let recorded = BTreeMap::from([
            (
                "job:errors:rate5m".to_owned(),
                r#"sum by (job) (rate(http_requests_total{status=~"5.."}[5m]))"#.to_owned(),
            ),
            ("loop".to_owned(), "loop + x".to_owned()),
        ]);
        type Found = (&'static str, &'static str, Option<&'static str>);
        let cases: &[(&str, &[Found])] = &[
            ("up == 0", &[("up", "up", None)]),
            (r#"up{job="api"} == 0"#, &[("up", r#"up{job="api"}"#, Some("api"))]),
            (
                "rate(a[5m] offset 1m) / on (job) b > 0.05 and c",
                &[("a", "a", None), ("b", "b", None), ("c", "c", None)],
            ),
            ("max_over_time(rate(a[1m])[5m:30s]) + a", &[("a", "a", None)]),
            (
                "job:errors:rate5m > 1",
                &[("http_requests_total", r#"http_requests_total{status=~"5.."}"#, None)],
            ),
            ("loop > 1", &[("x", "x", None)]),
            ("vector(1)", &[]),
            (r#"absent(up{job="redis"})"#, &[("up", r#"up{job="redis"}"#, Some("redis"))]),
        ];
        for (expr, expected) in cases {
            let found = selectors(expr, &recorded).unwrap();
            let found: Vec<_> =
                found.iter().map(|s| (s.metric.as_str(), s.text.as_str(), s.job.as_deref())).collect();
            assert_eq!(found, *expected, "{expr}");
        }
        assert!(selectors("rate(", &recorded).unwrap_err().to_string().contains("`rate(`"));
    }
}
