//! Text to syntax tree, with errors a person can place.

use std::sync::Once;

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{self, Expr, Function};

/// Parses an expression; the error names it.
pub(super) fn parse(expr: &str) -> Result<Expr, String> {
    if expr.trim().is_empty() {
        return Err("an empty expression: expected PromQL".to_owned());
    }
    know_old_names();
    parser::parse(expr).map_err(|reason| format!("`{}` is not PromQL: {}", expr.trim(), reason.trim()))
}

/// The parser knows today's functions; Prometheus 2.42 still calls `double_exponential_smoothing` by its old name.
fn know_old_names() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let arguments = vec![ValueType::Matrix, ValueType::Scalar, ValueType::Scalar];
        let old = Function::new("holt_winters", arguments, 0, ValueType::Vector, false);
        // Refused only once the parser knows the name itself, which is just as well.
        let _ = parser::register_extra_functions(vec![old]);
    });
}
