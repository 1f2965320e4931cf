//! Where durations stand in an expression's text.
//!
//! The parser's tree has no positions and its printing loses layout and comments. A duration, though, can stand in
//! two places only: between brackets and after `offset`. Finding those needs no more than telling strings and
//! comments from the rest; what is found is checked against the tree afterwards.

use std::ops::Range;

/// What a duration in an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `x[5m]`
    Range,
    /// The `30m` of `x[30m:1m]`.
    SubqueryRange,
    /// The `1m` of `x[30m:1m]`.
    SubqueryStep,
    /// `x offset 5m`, without its sign.
    Offset,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Range => "range",
            Self::SubqueryRange => "subquery range",
            Self::SubqueryStep => "subquery step",
            Self::Offset => "offset",
        })
    }
}

/// A duration and the bytes it takes in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationToken {
    pub place: Place,
    pub at: Range<usize>,
}

/// Durations in the text of an expression that parses, in reading order.
pub fn durations(text: &str) -> Vec<DurationToken> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' | b'`' => at = after_string(bytes, at),
            b'#' => at = after_comment(bytes, at),
            b'[' => at = brackets(bytes, at + 1, &mut found),
            byte if is_word(byte) => {
                let end = after_word(bytes, at);
                if text[at..end].eq_ignore_ascii_case("offset") {
                    let start = after_sign(bytes, end);
                    let stop = after_word(bytes, start);
                    // `by (offset)` and `{offset="1"}` are labels: no digit follows them.
                    if bytes.get(start).is_some_and(u8::is_ascii_digit) {
                        found.push(DurationToken { place: Place::Offset, at: start..stop });
                        at = stop;
                        continue;
                    }
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

/// Numbers written with a unit of time, such as the `1h` of `x > 1h`, which Prometheus 3 takes for 3600.
pub fn timed_numbers(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (durations, mut next) = (durations(text), 0);
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        while durations.get(next).is_some_and(|it| it.at.end <= at) {
            next += 1;
        }
        match bytes[at] {
            _ if durations.get(next).is_some_and(|it| it.at.start == at) => at = durations[next].at.end,
            b'"' | b'\'' | b'`' => at = after_string(bytes, at),
            b'#' => at = after_comment(bytes, at),
            byte if is_word(byte) => {
                let word = &text[at..after_word(bytes, at)];
                let timed = byte.is_ascii_digit() && word.ends_with(|last: char| last.is_ascii_alphabetic());
                if timed && common::duration::parse(word).is_ok() {
                    found.push(word);
                }
                at += word.len();
            }
            _ => at += 1,
        }
    }
    found
}

/// Reads the inside of `[…]` from `at` and gives the position after it.
fn brackets(bytes: &[u8], mut at: usize, found: &mut Vec<DurationToken>) -> usize {
    let first = found.len();
    let mut colon = false;
    while at < bytes.len() && bytes[at] != b']' {
        if bytes[at] == b'#' {
            at = after_comment(bytes, at);
        } else if bytes[at] == b':' {
            colon = true;
            for token in &mut found[first..] {
                token.place = Place::SubqueryRange;
            }
            at += 1;
        } else if bytes[at].is_ascii_digit() {
            let end =
                at + bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'.').count();
            let place = if colon { Place::SubqueryStep } else { Place::Range };
            found.push(DurationToken { place, at: at..end });
            at = end;
        } else {
            at += 1;
        }
    }
    at + 1
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.')
}

fn after_word(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|byte| is_word(**byte)).count()
}

fn after_comment(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|byte| **byte != b'\n').count()
}

/// From the opening quote to after the closing one; raw strings (backquotes) know no escapes.
fn after_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' && quote != b'`' { 2 } else { 1 };
    }
    at + 1
}

/// Past blanks, comments and one sign.
fn after_sign(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'#' => at = after_comment(bytes, at),
            byte if byte.is_ascii_whitespace() || matches!(byte, b'+' | b'-') => at += 1,
            _ => break,
        }
    }
    at
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
            ("größe > 2d", &["2d"]),
        ] {
            assert_eq!(timed_numbers(text), expected, "{text}");
        }
    }

    #[test]
    fn finds_durations_and_nothing_else() {
        for (text, expected) in [
            ("rate(x[5m]) > 5", vec!["range 5m"]),
            ("x[30m:1m]", vec!["subquery range 30m", "subquery step 1m"]),
            ("x[ 30m : ]", vec!["subquery range 30m"]),
            ("x offset 5m", vec!["offset 5m"]),
            ("x OFFSET -1h30m", vec!["offset 1h30m"]),
            ("sum by (offset) (x{offset=\"5m\"})", vec![]),
            ("x{a=\"[5m]\", b='it\\'s [1m]', c=`\\`} + y[1m]", vec!["range 1m"]),
            ("# not [5m]\nx[1m] # nor offset 3m", vec!["range 1m"]),
            ("x[5m] offset # why\n 2m", vec!["range 5m", "offset 2m"]),
            ("offset_total > 5 + my_offset", vec![]),
            ("x:y:z_5m > 1e3", vec![]),
            ("x[300]", vec!["range 300"]),
            ("größe[5m", vec!["range 5m"]),
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
