//! Constant numbers in an expression.

use promql_parser::parser::Expr;
use promql_parser::parser::token::{T_ADD, T_DIV, T_MOD, T_MUL, T_POW, T_SUB};

/// The value of a constant expression: `0.05`, `-1`, `(7 * 1024 ^ 3)`.
pub fn value(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::NumberLiteral(number) => Some(number.val),
        Expr::Unary(it) => value(&it.expr).map(|number| -number),
        Expr::Paren(it) => value(&it.expr),
        Expr::Binary(it) => {
            let (left, right) = (value(&it.lhs)?, value(&it.rhs)?);
            match it.op.id() {
                T_ADD => Some(left + right),
                T_SUB => Some(left - right),
                T_MUL => Some(left * right),
                T_DIV => Some(left / right),
                T_MOD => Some(left % right),
                T_POW => Some(left.powf(right)),
                _ => None,
            }
        }
        _ => None,
    }
}
