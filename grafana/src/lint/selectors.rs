//! The selectors of a query, each with the function around it.

use promql_parser::parser::{Expr, VectorSelector};

/// A selector and its context.
#[derive(Debug, Clone)]
pub(super) struct Found<'a> {
    /// The selector.
    pub(super) selector: &'a VectorSelector,
    /// Its range in seconds; `None` for an instant selector.
    pub(super) range: Option<f64>,
    /// The innermost function around it.
    pub(super) function: Option<&'a str>,
}

/// All selectors, from left to right.
pub(super) fn all(expr: &Expr) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    walk(expr, None, &mut found);
    found
}

fn walk<'a>(expr: &'a Expr, function: Option<&'a str>, found: &mut Vec<Found<'a>>) {
    match expr {
        Expr::VectorSelector(selector) => found.push(Found { selector, range: None, function }),
        Expr::MatrixSelector(it) => {
            found.push(Found { selector: &it.vs, range: Some(it.range.as_secs_f64()), function });
        }
        Expr::Call(it) => {
            for argument in &it.args.args {
                walk(argument, Some(it.func.name), found);
            }
        }
        Expr::Aggregate(it) => {
            if let Some(parameter) = &it.param {
                walk(parameter, None, found);
            }
            walk(&it.expr, None, found);
        }
        Expr::Binary(it) => {
            walk(&it.lhs, None, found);
            walk(&it.rhs, None, found);
        }
        Expr::Unary(it) => walk(&it.expr, None, found),
        Expr::Paren(it) => walk(&it.expr, function, found),
        Expr::Subquery(it) => walk(&it.expr, None, found),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}
