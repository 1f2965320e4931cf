//! Expressions that read the wall clock: their numbers are seconds, and no duration says so.

use promql_parser::parser::Expr;

use super::parse::parse;
use super::walk::children;

/// Whether the expression reads the clock (`time()`, `timestamp(…)`) or pins a moment (`@ 1700000000`), so that an
/// age in it stays an absolute number of seconds when durations are divided.
///
/// # Errors
/// The parser's message, with the expression.
pub fn reads_clock(expr: &str) -> Result<bool, String> {
    fn any(expr: &Expr) -> bool {
        let here = match expr {
            Expr::Call(call) => matches!(call.func.name, "time" | "timestamp"),
            Expr::VectorSelector(it) => it.at.is_some(),
            Expr::MatrixSelector(it) => it.vs.at.is_some(),
            Expr::Subquery(it) => it.at.is_some(),
            _ => false,
        };
        here || children(expr).into_iter().any(any)
    }
    Ok(any(&parse(expr)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_ages_from_ranges() {
        for (expr, clock) in [
            ("time() - build_time_seconds > 600", true),
            ("timestamp(up) > 5", true),
            ("up @ 1700000000", true),
            ("sum(rate(x[5m])) > 0.05", false),
            ("time_total > 5", false),
            (r#"x{fn="time()"} > 5"#, false),
            ("topk(time(), x)", true),
        ] {
            assert_eq!(reads_clock(expr).unwrap(), clock, "{expr}");
        }
    }
}
