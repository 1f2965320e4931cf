//! The positions of durations in the text of an expression.
//!
//! The syntax tree has no positions, and printing it loses layout and comments, but tokens have positions. Durations
//! occur only between brackets and after `offset`. The result is checked against the tree by the caller.

use std::ops::Range;
use std::time::Duration;

use lrpar::{Lexeme, Lexer};
use promql_parser::parser::{lex, token};
use promql_parser::util::parse_str_radix;

use crate::error::Error;
use crate::place::Place;
use common::duration;

/// A duration and its byte range in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationToken {
    pub place: Place,
    pub at: Range<usize>,
}

/// The durations of an expression in textual order; empty if it cannot be tokenized.
pub fn durations(text: &str) -> Vec<DurationToken> {
    numbers(text).into_iter().filter_map(|(place, _, at)| Some(DurationToken { place: place?, at })).collect()
}

/// Parses a PromQL duration: with units, or as bare seconds (Prometheus 3).
pub fn read(text: &str) -> Result<Duration, Error> {
    let Ok(seconds) = parse_str_radix(text) else {
        return duration::parse(text).map_err(|error| Error::Duration(error.to_string()));
    };
    let read = Duration::try_from_secs_f64(seconds).ok().filter(|it| *it <= duration::LONGEST);
    read.ok_or_else(|| Error::Duration(common::Error::LongDuration(text.to_owned()).to_string()))
}

/// Numbers with a unit of time, such as `1h` in `x > 1h`, which Prometheus 3 reads as 3600.
pub fn timed_numbers(text: &str) -> Vec<&str> {
    let timed =
        |(place, unit, at): (Option<Place>, bool, Range<usize>)| (place.is_none() && unit).then(|| &text[at]);
    numbers(text).into_iter().filter_map(timed).collect()
}

/// The number of operators and opening brackets, an upper bound of the depth of the syntax tree.
pub fn depth_limit(text: &str) -> usize {
    let deepens = |id: u16| {
        matches!(id, token::T_LEFT_PAREN | token::T_LEFT_BRACKET | token::T_LEFT_BRACE)
            || token::TokenType::new(id).is_operator()
    };
    lex::lexer(text).map_or(0, |lexer| lexer.iter().flatten().filter(|it| deepens(it.tok_id())).count())
}

/// Every number: its kind if it is a duration, whether it has a unit, and its byte range.
fn numbers(text: &str) -> Vec<(Option<Place>, bool, Range<usize>)> {
    let Ok(lexer) = lex::lexer(text) else { return Vec::new() };
    let mut found: Vec<(Option<Place>, bool, Range<usize>)> = Vec::new();
    let mut place = None;
    for lexeme in lexer.iter().flatten() {
        place = match lexeme.tok_id() {
            token::T_LEFT_BRACKET => Some(Place::Range),
            token::T_OFFSET => Some(Place::Offset),
            token::T_ADD | token::T_SUB if place == Some(Place::Offset) => place,
            token::T_COLON => {
                if let Some((range, ..)) = found.last_mut() {
                    *range = Some(Place::SubqueryRange);
                }
                Some(Place::SubqueryStep)
            }
            id @ (token::T_NUMBER | token::T_DURATION) => {
                let span = lexeme.span();
                found.push((place, id == token::T_DURATION, span.start()..span.end()));
                None
            }
            _ => None,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_numbers_with_units() {
        for (text, expected) in [
            ("x > 1h and y[5m:1m] offset 2m < 90s # 3m", &["1h", "90s"][..]),
            ("x{a=\"1h\"} > 0x1f + 1e3 - Inf", &[]),
            ("x_1h > 5 + job:rate5m", &[]),
            ("x{a=\"größe\"} > 2d", &["2d"]),
            ("größe > 2d", &[]),
        ] {
            assert_eq!(timed_numbers(text), expected, "{text}");
        }
    }

    #[test]
    fn finds_durations_only() {
        for (text, expected) in [
            ("rate(x[5m]) > 5", vec!["range 5m"]),
            ("x[30m:1m]", vec!["subquery range 30m", "subquery step 1m"]),
            ("x[ 30m : ]", vec!["subquery range 30m"]),
            ("x offset 5m", vec!["offset 5m"]),
            ("x OFFSET -1h30m", vec!["offset 1h30m"]),
            ("sum by (offset) (x{offset=\"5m\"})", vec![]),
            ("x{a=\"[5m]\", b='it\\'s [1m]', c=`[3m]`} + y[1m]", vec!["range 1m"]),
            ("# not [5m]\nx[1m] # nor offset 3m", vec!["range 1m"]),
            ("x[5m] offset # why\n 2m", vec!["range 5m", "offset 2m"]),
            ("offset_total > 5 + my_offset", vec![]),
            ("x:y:z_5m > 1e3", vec![]),
            ("x[300]", vec!["range 300"]),
            ("x{a=\"größe\"}[5m]", vec!["range 5m"]),
            ("größe[5m]", vec![]),
            ("x[", vec![]),
            ("'", vec![]),
            ("\"\\", vec![]),
            ("offset", vec![]),
        ] {
            let found: Vec<String> =
                durations(text).iter().map(|it| format!("{} {}", it.place, &text[it.at.clone()])).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
