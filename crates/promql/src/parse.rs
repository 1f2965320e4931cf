//! Parsing, with errors that name the expression.

use std::sync::Once;

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{self, Expr, Function};

use crate::error::Error;
use crate::tokens;

/// Maximum number of operators and brackets. Deeper trees would overflow the stack in recursive functions.
const MAX_PARTS: usize = 4_000;

/// Parses an expression.
pub fn parse(expr: &str) -> Result<Expr, Error> {
    if expr.trim().is_empty() {
        return Err(Error::Empty);
    }
    let parts = tokens::depth_limit(expr);
    if parts > MAX_PARTS {
        return Err(Error::TooLarge(parts, MAX_PARTS));
    }
    // The parser panics on numbers of seconds beyond those of `Duration`.
    for token in tokens::durations(expr) {
        tokens::read(&expr[token.at])
            .map_err(|reason| Error::Syntax { expr: expr.trim().to_owned(), reason: reason.to_string() })?;
    }
    register_old_names();
    parser::parse(expr).map_err(|reason| Error::Syntax {
        expr: expr.trim().to_owned(),
        reason: format!("{}{}", reason.trim(), remedy(expr)),
    })
}

/// Syntax of newer Prometheus versions that this parser does not support, and how to write it for both.
fn remedy(expr: &str) -> &'static str {
    let digits = |pair: &[u8; 3]| pair[0].is_ascii_digit() && pair[1] == b'_' && pair[2].is_ascii_digit();
    let in_brackets = expr.split('[').skip(1).filter_map(|part| part.split(']').next());
    let after_offset = expr.split("offset").skip(1);
    let calculates = |part: &str| {
        part.contains(['+', '*', '/', '(']) || part.trim_start().trim_start_matches('-').contains('-')
    };
    if expr.as_bytes().array_windows().any(digits) {
        "; write numbers without `_`"
    } else if in_brackets.into_iter().any(calculates)
        || after_offset.into_iter().any(|part| part.trim_start().starts_with('('))
    {
        "; calculated durations such as [5m+1m] are not supported: write the result, [6m]"
    } else {
        ""
    }
}

/// Registers `holt_winters`, the name of `double_exponential_smoothing` in Prometheus 2.42.
fn register_old_names() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let arguments = vec![ValueType::Matrix, ValueType::Scalar, ValueType::Scalar];
        let old = Function::new("holt_winters", arguments, 0, ValueType::Vector, false);
        // This fails only if the parser itself supports the name, which is fine too.
        let _ = parser::register_extra_functions(vec![old]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_durations_that_prometheus_cannot_hold() {
        for (expr, duration) in [
            ("x offset 1e309", "1e309"),
            ("x offset -1e20", "1e20"),
            ("x[1e10]", "1e10"),
            ("x[5m:1e20]", "1e20"),
            ("x offset Inf", "Inf"),
            ("x[300y]", "300y"),
            ("x[1h4294967296s]", "1h4294967296s"),
        ] {
            let error = parse(expr).unwrap_err().to_string();
            let expected = format!("`{expr}` is not PromQL: the duration `{duration}` is too long");
            assert!(error.starts_with(&expected), "{error}");
        }
        assert!(parse("rate(x[5m]) > 300y").is_ok(), "not a duration");
    }

    #[test]
    fn unsupported_syntax_has_a_remedy() {
        for (expr, expected) in [
            ("x > 1_000", "write numbers without `_`"),
            ("rate(x[5m+1m]) > 0", "write the result"),
            ("x offset (5m) > 0", "write the result"),
            ("rate(x[5m-1m]) > 0", "write the result"),
            ("rate(x[5m) > 0", "`rate(x[5m) > 0` is not PromQL"),
        ] {
            let error = parse(expr).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(expr), "{expr}: {error}");
        }
        assert!(!parse("rate(x[5m)").unwrap_err().to_string().contains("write"));
    }
}
