//! The threshold of an expression.

use promql_parser::parser::{BinaryExpr, Expr};

use crate::literal;
use crate::parse::parse;

/// `left OP value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The compared value, as an expression that can be queried.
    pub left: String,
    /// `>`, `>=`, `<`, `<=`, `==` or `!=`.
    pub operator: String,
    /// The right-hand number.
    pub value: f64,
}

/// The number in the top-level comparison of an expression: `rate(x[5m]) > 0.05` gives `> 0.05`, and so does `0.05 <
/// rate(x[5m])`. With `and`, `or` and `unless` it is the left-most such comparison.
///
/// `None` if there is no comparison with a number or the expression is invalid.
#[must_use]
pub fn threshold(expr: &str) -> Option<Threshold> {
    left_most(&parse(expr).ok()?)
}

fn left_most(expr: &Expr) -> Option<Threshold> {
    match expr {
        Expr::Paren(it) => left_most(&it.expr),
        Expr::Binary(it) if it.op.is_set_operator() => left_most(&it.lhs).or_else(|| left_most(&it.rhs)),
        Expr::Binary(it) => comparison(it),
        _ => None,
    }
}

fn comparison(it: &BinaryExpr) -> Option<Threshold> {
    let operator = it.op.is_comparison_operator().then(|| it.op.to_string())?;
    match (literal::value(&it.lhs), literal::value(&it.rhs)) {
        (None, Some(value)) => Some(Threshold { left: text(&it.lhs)?, operator, value }),
        (Some(value), None) => {
            let exchanged = |sign| match sign {
                '<' => '>',
                '>' => '<',
                other => other,
            };
            let operator = operator.chars().map(exchanged).collect();
            Some(Threshold { left: text(&it.rhs)?, operator, value })
        }
        _ => None,
    }
}

/// The printed expression, if it parses to the same tree. Otherwise a chart would show a wrong value.
fn text(expr: &Expr) -> Option<String> {
    let bare = match expr {
        Expr::Paren(it) => &it.expr,
        other => other,
    };
    let text = bare.to_string();
    (parse(&text).ok()? == *bare).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_left_most_comparison_with_a_number() {
        for (expr, left, operator, value) in [
            ("rate(x[5m]) > 0.05", "rate(x[5m])", ">", 0.05),
            ("0.05 < rate(x[5m])", "rate(x[5m])", ">", 0.05),
            ("10 >= x", "x", "<=", 10.0),
            ("up == 0 or absent(up)", "up", "==", 0.0),
            ("absent(up) or up == 0", "up", "==", 0.0),
            ("x != -1", "x", "!=", -1.0),
            ("x < (-1.5)", "x", "<", -1.5),
            ("x > bool 3", "x", ">", 3.0),
            (
                "(sum by (job) (rate(x[5m])) > 0.05) and on (job) y > 1",
                "sum by (job) (rate(x[5m]))",
                ">",
                0.05,
            ),
            ("y and on (job) x > 1", "x", ">", 1.0),
            ("process_bytes > 7 * 1024 ^ 3", "process_bytes", ">", 7.0 * 1024.0 * 1024.0 * 1024.0),
            ("x > +Inf", "x", ">", f64::INFINITY),
            (
                r#"sum(rate(h{code=~"5..", path="a\"b\\c"}[5m])) / sum(rate(h[5m])) > 0.1"#,
                r#"sum(rate(h{code=~"5..",path="a\"b\\c"}[5m])) / sum(rate(h[5m]))"#,
                ">",
                0.1,
            ),
        ] {
            let found = threshold(expr).unwrap_or_else(|| panic!("no threshold in {expr}"));
            assert_eq!((found.operator.as_str(), found.value), (operator, value), "{expr}");
            let squeeze = |text: &str| text.replace(' ', "");
            assert_eq!(squeeze(&found.left), squeeze(left), "{expr}");
        }
    }

    #[test]
    fn returns_none_without_a_comparison_with_a_number() {
        for expr in ["up", "x > y", "vector(1)", "1 > bool 2", "absent(up)", "x > (", "a + b", ""] {
            assert_eq!(threshold(expr), None, "{expr}");
        }
    }
}
