//! Numbers of an expression that mean a length of time, and that nobody can tell from other numbers: they stay when durations
//! are divided.

use promql_parser::parser::Expr;
use promql_parser::parser::token::T_MUL;

use crate::clock::reads_clock;
use crate::error::Error;
use crate::parse::parse;
use crate::walk::children;
use crate::{literal, tokens};

/// What stays as it is when the durations of an expression are divided, in sentences; none for most expressions.
///
/// # Errors
/// The parser's message, with the expression.
pub fn stays(expr: &str) -> Result<Vec<String>, Error> {
    let mut said = Vec::new();
    if reads_clock(expr)? {
        said.push(
            "reads the clock: an age compared with a number of seconds does not scale; write it as a range"
                .to_owned(),
        );
    }
    collect(&parse(expr)?, &mut said);
    for number in tokens::timed_numbers(expr) {
        said.push(format!("`{number}` is a number of seconds here, which is not divided"));
    }
    Ok(said)
}

fn collect(expr: &Expr, said: &mut Vec<String>) {
    match expr {
        Expr::Call(call) if call.func.name == "predict_linear" => {
            let ahead = call.args.args.get(1).and_then(|it| literal::value(it));
            if ahead != Some(0.0) {
                let ahead = ahead.map_or_else(|| "as far".to_owned(), |seconds| format!("{seconds} s"));
                said.push(format!(
                    "`predict_linear` looks {ahead} ahead as before: its horizon is a number, which is not divided"
                ));
            }
        }
        Expr::Binary(it) if it.op.id() == T_MUL => {
            let times =
                |slope: &Expr, number: &Expr| is_slope(slope).then(|| literal::value(number)).flatten();
            if let Some(seconds) = times(&it.lhs, &it.rhs).or_else(|| times(&it.rhs, &it.lhs)) {
                said.push(format!(
                    "`deriv` times {seconds} is what {seconds} s add, a number, which is not divided"
                ));
            }
        }
        _ => {}
    }
    for child in children(expr) {
        collect(child, said);
    }
}

fn is_slope(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(it) => is_slope(&it.expr),
        Expr::Call(call) => call.func.name == "deriv",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_mean_time_are_told() {
        for (expr, expected) in [
            ("rate(x[5m]) > 3600", &[][..]),
            ("rate(x[5m] @ end()) > 1 and y @ start() > 1", &[]),
            ("predict_linear(x[6h], 4*24*3600) < 0", &["looks 345600 s ahead"]),
            ("predict_linear(x[6h], scalar(y)) < 0", &["looks as far ahead"]),
            ("predict_linear(x[6h], 0) < 0", &[]),
            ("deriv(x[1h]) * 3600 > 1", &["`deriv` times 3600"]),
            ("60 * (deriv(x[1h])) > 1", &["`deriv` times 60"]),
            ("deriv(x[1h]) > 1", &[]),
            ("x > 1h", &["`1h` is a number of seconds"]),
            ("time() - x > 1h30m", &["reads the clock", "`1h30m` is a number"]),
            ("topk(3, sum by (job) (deriv(x[1h]) * 60))", &["`deriv` times 60"]),
        ] {
            let said = stays(expr).unwrap();
            assert_eq!(said.len(), expected.len(), "{expr}: {said:?}");
            assert!(said.iter().zip(expected).all(|(said, part)| said.contains(part)), "{expr}: {said:?}");
        }
    }
}
