//! Plain numbers of an expression that mean seconds. They cannot be scaled with the durations.

use promql_parser::parser::Expr;
use promql_parser::parser::token::T_MUL;

use crate::clock::reads_clock;
use crate::error::Error;
use crate::parse::parse;
use crate::walk::children;
use crate::{literal, tokens};

/// Describes the parts of an expression that do not scale with its durations; empty for most expressions.
///
/// # Errors
/// The parser's message, with the expression.
pub fn stays(expr: &str) -> Result<Vec<String>, Error> {
    let mut notes = Vec::new();
    if reads_clock(expr)? {
        notes.push(
            "uses the current time: an age compared with a number of seconds does not scale; write it as a range"
                .to_owned(),
        );
    }
    collect(&parse(expr)?, &mut notes);
    for number in tokens::timed_numbers(expr) {
        notes.push(format!("`{number}` is a number of seconds here and does not scale"));
    }
    Ok(notes)
}

fn collect(expr: &Expr, notes: &mut Vec<String>) {
    match expr {
        Expr::Call(call) if call.func.name == "predict_linear" => {
            let ahead = call.args.args.get(1).and_then(|it| literal::value(it));
            if ahead != Some(0.0) {
                let ahead =
                    ahead.map_or_else(|| "the same time".to_owned(), |seconds| format!("{seconds} s"));
                notes.push(format!(
                    "`predict_linear` still predicts {ahead} ahead: its horizon is a number and does not scale"
                ));
            }
        }
        Expr::Binary(it) if it.op.id() == T_MUL => {
            let times =
                |slope: &Expr, number: &Expr| is_slope(slope).then(|| literal::value(number)).flatten();
            if let Some(seconds) = times(&it.lhs, &it.rhs).or_else(|| times(&it.rhs, &it.lhs)) {
                notes.push(format!(
                    "`deriv` times {seconds} is the change in {seconds} s: this number does not scale"
                ));
            }
        }
        _ => {}
    }
    for child in children(expr) {
        collect(child, notes);
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
    fn reports_numbers_that_mean_seconds() {
        for (expr, expected) in [
            ("rate(x[5m]) > 3600", &[][..]),
            ("rate(x[5m] @ end()) > 1 and y @ start() > 1", &[]),
            ("predict_linear(x[6h], 4*24*3600) < 0", &["predicts 345600 s ahead"]),
            ("predict_linear(x[6h], scalar(y)) < 0", &["predicts the same time ahead"]),
            ("predict_linear(x[6h], 0) < 0", &[]),
            ("deriv(x[1h]) * 3600 > 1", &["`deriv` times 3600"]),
            ("60 * (deriv(x[1h])) > 1", &["`deriv` times 60"]),
            ("deriv(x[1h]) > 1", &[]),
            ("x > 1h", &["`1h` is a number of seconds"]),
            ("time() - x > 1h30m", &["uses the current time", "`1h30m` is a number"]),
            ("topk(3, sum by (job) (deriv(x[1h]) * 60))", &["`deriv` times 60"]),
        ] {
            let notes = stays(expr).unwrap();
            assert_eq!(notes.len(), expected.len(), "{expr}: {notes:?}");
            assert!(notes.iter().zip(expected).all(|(note, part)| note.contains(part)), "{expr}: {notes:?}");
        }
    }
}
