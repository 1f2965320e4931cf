//! Traversal of the syntax tree. The parser's own traversal skips the parameter of `topk` and similar aggregations,
//! which may contain selectors too.

use promql_parser::parser::Expr;

/// The direct children of an expression, left to right.
pub fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Aggregate(it) => {
            let mut all: Vec<&Expr> = it.param.iter().map(AsRef::as_ref).collect();
            all.push(&it.expr);
            all
        }
        Expr::Unary(it) => vec![&it.expr],
        Expr::Binary(it) => vec![&it.lhs, &it.rhs],
        Expr::Paren(it) => vec![&it.expr],
        Expr::Subquery(it) => vec![&it.expr],
        Expr::Call(it) => it.args.args.iter().map(AsRef::as_ref).collect(),
        Expr::Extension(it) => it.expr.children().iter().collect(),
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_) => Vec::new(),
    }
}
