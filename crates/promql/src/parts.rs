//! The positions of the parts of an expression that can be replaced or removed one at a time.

use std::ops::Range;

use lrpar::{Lexeme, Lexer};
use promql_parser::parser::{lex, token};

use crate::error::Error;
use crate::parse::parse;

/// `label="value"`, as byte ranges of the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    /// The label.
    pub label: Range<usize>,
    /// `=`, `!=`, `=~` or `!~`.
    pub operator: Range<usize>,
    /// The value without its quotes.
    pub value: Range<usize>,
}

/// A comparison with a number on its right, such as `> 0.05`, as byte ranges of the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// `>`, `>=`, `<`, `<=`, `==` or `!=`.
    pub operator: Range<usize>,
    /// The number, without a sign.
    pub value: Range<usize>,
}

/// The parts of an expression, each kind in textual order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// The label matchers of all selectors.
    pub matchers: Vec<Matcher>,
    /// The comparisons with a number.
    pub comparisons: Vec<Comparison>,
    /// The operands of every `or`, each with the operator that is removed with it: without this text the expression is
    /// complete.
    pub branches: Vec<Range<usize>>,
    /// The names of metrics.
    pub metrics: Vec<Range<usize>>,
}

/// The parts of an expression.
///
/// # Errors
/// When the expression cannot be parsed.
pub fn parts(expr: &str) -> Result<Parts, Error> {
    parse(expr)?;
    let unread = || Error::Ambiguous(expr.trim().to_owned());
    let lexer = lex::lexer(expr).map_err(|_| unread())?;
    let mut tokens = Vec::new();
    for lexeme in lexer.iter() {
        let lexeme = lexeme.map_err(|_| unread())?;
        tokens.push((lexeme.tok_id(), lexeme.span().start()..lexeme.span().end()));
    }
    let mut found = Parts::default();
    let mut open = vec![Level::new(token::T_LEFT_PAREN, 0, false)];
    let mut end = 0;
    for (index, (id, at)) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| tokens[index].0);
        let after = |steps: usize| tokens.get(index + steps);
        let (kind, labels) = open.last().map_or((token::T_LEFT_PAREN, false), |it| (it.opened, it.labels));
        match *id {
            token::T_LEFT_PAREN | token::T_LEFT_BRACE | token::T_LEFT_BRACKET => {
                open.push(Level::new(*id, at.end, before.is_some_and(names_labels)));
            }
            token::T_RIGHT_PAREN | token::T_RIGHT_BRACE | token::T_RIGHT_BRACKET => {
                open.pop().ok_or_else(unread)?.close(end, &mut found.branches);
            }
            token::T_COMMA => {
                open.pop().ok_or_else(unread)?.close(end, &mut found.branches);
                open.push(Level::new(kind, at.end, labels));
            }
            token::T_LOR if kind == token::T_LEFT_PAREN => {
                let operand = operand(&tokens, index).ok_or_else(unread)?;
                open.last_mut().ok_or_else(unread)?.ors.push((end, operand));
            }
            token::T_EQL | token::T_NEQ | token::T_EQL_REGEX | token::T_NEQ_REGEX
                if kind == token::T_LEFT_BRACE =>
            {
                if let (Some(label), Some((token::T_STRING, value))) =
                    (index.checked_sub(1).map(|index| tokens[index].1.clone()), after(1))
                {
                    let value = value.start + 1..value.end - 1;
                    found.matchers.push(Matcher { label, operator: at.clone(), value });
                }
            }
            token::T_IDENTIFIER | token::T_METRIC_IDENTIFIER
                if kind == token::T_LEFT_PAREN
                    && !labels
                    && after(1).is_none_or(|(next, _)| *next != token::T_LEFT_PAREN) =>
            {
                found.metrics.push(at.clone());
            }
            id if token::TokenType::new(id).is_comparison_operator() => {
                let number = if after(1).is_some_and(|(next, _)| *next == token::T_BOOL) { 2 } else { 1 };
                if let Some((token::T_NUMBER, value)) = after(number) {
                    let comparison = Comparison { operator: at.clone(), value: value.clone() };
                    found.comparisons.push(comparison);
                }
            }
            _ => {}
        }
        // The lexer ends with an empty token after the blank space.
        if !at.is_empty() {
            end = at.end;
        }
    }
    open.pop().ok_or_else(unread)?.close(end, &mut found.branches);
    found.branches.sort_by_key(|range| (range.start, range.end));
    for branch in &found.branches {
        parse(&format!("{}{}", &expr[..branch.start], &expr[branch.end..]))?;
    }
    Ok(found)
}

/// Whether the parentheses after this token hold names of labels.
fn names_labels(id: u16) -> bool {
    matches!(
        id,
        token::T_BY
            | token::T_WITHOUT
            | token::T_ON
            | token::T_IGNORING
            | token::T_GROUP_LEFT
            | token::T_GROUP_RIGHT
    )
}

/// Start of the right operand of the `or` at `index`, after `on (…)` or `ignoring (…)`.
fn operand(tokens: &[(u16, Range<usize>)], index: usize) -> Option<usize> {
    let mut next = index + 1;
    if matches!(tokens.get(next)?.0, token::T_ON | token::T_IGNORING) {
        next += tokens[next..].iter().position(|(id, _)| *id == token::T_RIGHT_PAREN)? + 1;
    }
    Some(tokens.get(next)?.1.start)
}

/// The tokens between two brackets or commas.
struct Level {
    opened: u16,
    start: usize,
    labels: bool,
    /// For each `or`: the end of its left operand and the start of its right one.
    ors: Vec<(usize, usize)>,
}

impl Level {
    fn new(opened: u16, start: usize, labels: bool) -> Self {
        Self { opened, start, labels, ors: Vec::new() }
    }

    /// The operands, if there is an `or`. It has the lowest precedence, so they reach to the ends of this level.
    fn close(self, end: usize, branches: &mut Vec<Range<usize>>) {
        let Some((_, first)) = self.ors.first() else { return };
        branches.push(self.start..*first);
        for (index, (left, _)) in self.ors.iter().enumerate() {
            branches.push(*left..self.ors.get(index + 1).map_or(end, |(next, _)| *next));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(expr: &'a str, ranges: &[Range<usize>]) -> Vec<&'a str> {
        ranges.iter().map(|range| &expr[range.clone()]).collect()
    }

    #[test]
    fn finds_every_matcher() {
        let expr =
            r#"sum by (job) (rate(a{job="api",route!~"/x|/y"}[5m])) / b{c!="",d=~'5..'} and {__name__="e"}"#;
        let found = parts(expr).unwrap();
        let written: Vec<_> = found
            .matchers
            .iter()
            .map(|it| [&it.label, &it.operator, &it.value].map(|range| &expr[range.clone()]))
            .collect();
        assert_eq!(
            written,
            [
                ["job", "=", "api"],
                ["route", "!~", "/x|/y"],
                ["c", "!=", ""],
                ["d", "=~", "5.."],
                ["__name__", "=", "e"]
            ]
        );
        assert_eq!(texts(expr, &found.metrics), ["a", "b"]);
    }

    #[test]
    fn finds_every_comparison_with_a_number() {
        let expr = "a:b / 0.005 > 14.4 and (c > 0) <= 1e3 unless d == bool 0 or e != f and g > 2 * h";
        let found = parts(expr).unwrap();
        let written: Vec<_> = found
            .comparisons
            .iter()
            .map(|it| (&expr[it.operator.clone()], &expr[it.value.clone()]))
            .collect();
        assert_eq!(written, [(">", "14.4"), (">", "0"), ("<=", "1e3"), ("==", "0"), (">", "2")]);
        assert_eq!(texts(expr, &found.metrics), ["a:b", "c", "d", "e", "f", "g", "h"]);
    }

    #[test]
    fn finds_every_branch_with_its_operator() {
        let without = |expr: &str| -> Vec<String> {
            let found = parts(expr).unwrap().branches;
            found.iter().map(|it| format!("{}{}", &expr[..it.start], &expr[it.end..])).collect()
        };
        assert_eq!(
            without("up == 0\n  or absent(up) or c unless on (a) d"),
            ["absent(up) or c unless on (a) d", "up == 0 or c unless on (a) d", "up == 0\n  or absent(up)"]
        );
        assert_eq!(
            without("a or on (job, x) label_replace(b, \"or\", \"c\", \"\", \"\")"),
            ["label_replace(b, \"or\", \"c\", \"\", \"\")", "a"]
        );
        assert_eq!(
            without("max(clamp((a or b), 0, 1) or c) > 1"),
            [
                "max(c) > 1",
                "max(clamp((b), 0, 1) or c) > 1",
                "max(clamp((a), 0, 1) or c) > 1",
                "max(clamp((a or b), 0, 1)) > 1"
            ]
        );
        assert_eq!(without("a or b \n "), ["b \n ", "a \n "]);
        assert_eq!(without("sum by (job) (up) > 1"), [""; 0]);
    }

    #[test]
    fn rejects_what_is_not_promql() {
        assert!(parts("up ==").unwrap_err().to_string().contains("`up ==`"));
    }
}
