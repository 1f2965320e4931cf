//! Text to syntax tree, with errors a person can place.

use std::sync::Once;

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{self, Expr, Function};

use crate::error::Error;
use crate::tokens;

/// The most operators and brackets. The tree is walked by recursion, so a deeper one would exhaust the stack.
const MAX_PARTS: usize = 4_000;

/// Parses an expression; the error names it.
pub fn parse(expr: &str) -> Result<Expr, Error> {
    if expr.trim().is_empty() {
        return Err(Error::Empty);
    }
    let parts = tokens::depth_limit(expr);
    if parts > MAX_PARTS {
        return Err(Error::TooLarge(parts, MAX_PARTS));
    }
    know_old_names();
    parser::parse(expr).map_err(|reason| Error::Syntax {
        expr: expr.trim().to_owned(),
        reason: format!("{}{}", reason.trim(), way_out(expr)),
    })
}

/// What newer Prometheus reads and this parser does not, and how to write it for both.
fn way_out(expr: &str) -> &'static str {
    let digits = |pair: &[u8; 3]| pair[0].is_ascii_digit() && pair[1] == b'_' && pair[2].is_ascii_digit();
    let in_brackets = expr.split('[').skip(1).filter_map(|part| part.split(']').next());
    let after_offset = expr.split("offset").skip(1);
    let reckons = |part: &str| {
        part.contains(['+', '*', '/', '(']) || part.trim_start().trim_start_matches('-').contains('-')
    };
    if expr.as_bytes().array_windows().any(digits) {
        "; write numbers without `_`"
    } else if in_brackets.into_iter().any(reckons)
        || after_offset.into_iter().any(|part| part.trim_start().starts_with('('))
    {
        "; a duration that is reckoned, such as [5m+1m], is not read here: write what it comes to, [6m]"
    } else {
        ""
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_new_is_told_with_a_way_out() {
        for (expr, says) in [
            ("x > 1_000", "write numbers without `_`"),
            ("rate(x[5m+1m]) > 0", "write what it comes to"),
            ("x offset (5m) > 0", "write what it comes to"),
            ("rate(x[5m-1m]) > 0", "write what it comes to"),
            ("rate(x[5m) > 0", "`rate(x[5m) > 0` is not PromQL"),
        ] {
            let said = parse(expr).unwrap_err().to_string();
            assert!(said.contains(says) && said.contains(expr), "{expr}: {said}");
        }
        assert!(!parse("rate(x[5m)").unwrap_err().to_string().contains("write"));
    }
}
