//! Expressions that use the current time, where plain numbers mean seconds.

use promql_parser::parser::{AtModifier, Expr};

use crate::error::Error;
use crate::parse::parse;
use crate::walk::children;

/// Whether the expression uses the current time (`time()`, `timestamp(…)`) or a fixed time (`@ 1700000000`). Ages in it
/// are absolute numbers of seconds, which do not scale with durations.
///
/// # Errors
/// The parser's message, with the expression.
pub fn reads_clock(expr: &str) -> Result<bool, Error> {
    fn any(expr: &Expr) -> bool {
        let here = match expr {
            Expr::Call(call) => matches!(call.func.name, "time" | "timestamp"),
            Expr::VectorSelector(it) => is_moment(it.at.as_ref()),
            Expr::MatrixSelector(it) => is_moment(it.vs.at.as_ref()),
            Expr::Subquery(it) => is_moment(it.at.as_ref()),
            _ => false,
        };
        // `max_over_time(vector(time())[1h:1h] offset 30d)` is the time 30 days ago, written with durations that do
        // scale.
        if let Expr::Subquery(it) = expr
            && is_now(&it.expr)
        {
            return here;
        }
        here || children(expr).into_iter().any(any)
    }
    Ok(any(&parse(expr)?))
}

/// Whether the modifier is a fixed time; `@ start()` and `@ end()` are the evaluation time.
pub(crate) fn is_moment(at: Option<&AtModifier>) -> bool {
    matches!(at, Some(AtModifier::At(_)))
}

/// Whether it is `vector(time())`, with or without parentheses.
fn is_now(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(it) => is_now(&it.expr),
        Expr::Call(call) if call.func.name == "vector" => children(expr).iter().all(|it| is_now(it)),
        Expr::Call(call) => call.func.name == "time",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_ages_from_ranges() {
        for (expr, clock) in [
            ("time() - build_time_seconds > 600", true),
            ("timestamp(up) > 5", true),
            ("up @ 1700000000", true),
            ("rate(up[5m] @ end()) > up @ start()", false),
            ("sum(rate(x[5m])) > 0.05", false),
            ("time_total > 5", false),
            (r#"x{fn="time()"} > 5"#, false),
            ("topk(time(), x)", true),
            ("x < on () group_left () min_over_time(vector(time())[30d:1d])", false),
            ("x < on () group_left () max_over_time(vector(time())[1h:1h] offset 30d)", false),
            ("x < min_over_time((vector(time()) - 600)[30d:1d])", true),
        ] {
            assert_eq!(reads_clock(expr).unwrap(), clock, "{expr}");
        }
    }
}
