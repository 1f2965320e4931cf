//! Rewriting the durations of an expression.

use std::ops::Range;
use std::time::Duration;

use crate::durations::{self, Occurrence};
use crate::error::Error;
use crate::tokens;
use common::duration;

/// A rewritten duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its byte range in the original expression.
    pub at: Range<usize>,
    /// Its kind and original value.
    pub occurrence: Occurrence,
    /// Its new value, never zero.
    pub to: Duration,
}

/// Replaces every duration of an expression (ranges, subquery ranges and steps, offsets) with the result of `map`, and
/// returns the new expression and the changes. Everything else stays byte for byte, including the notation of unchanged
/// durations. Results are rounded to milliseconds.
///
/// # Errors
/// When the expression cannot be parsed or a result is below a millisecond.
pub fn rewrite_durations(
    expr: &str,
    map: impl Fn(&Occurrence) -> Duration,
) -> Result<(String, Vec<Change>), Error> {
    let (occurrences, tokens) = (durations::durations(expr)?, tokens::durations(expr));
    // Positions come from the tokens, meanings from the tree. They must agree.
    let apart = || Error::Ambiguous(expr.trim().to_owned());
    let mut text = String::with_capacity(expr.len());
    let mut changes = Vec::new();
    let mut put = Vec::new();
    let mut done = 0;
    if occurrences.len() != tokens.len() {
        return Err(apart());
    }
    for (token, occurrence) in tokens.into_iter().zip(occurrences) {
        let from = tokens::read(&expr[token.at.clone()])?;
        if (token.place, from) != (occurrence.place, occurrence.from) {
            return Err(apart());
        }
        let to = Duration::from_millis(rounded_millis(map(&occurrence)));
        put.push(to);
        if to == from {
            continue;
        }
        if to.is_zero() {
            return Err(Error::TooShort {
                from: duration::format(from),
                place: token.place,
                expr: expr.to_owned(),
            });
        }
        text.push_str(&expr[done..token.at.start]);
        text.push_str(&duration::format(to));
        done = token.at.end;
        changes.push(Change { at: token.at, to, occurrence });
    }
    text.push_str(&expr[done..]);
    if !durations::durations(&text)?.iter().map(|occurrence| occurrence.from).eq(put) {
        return Err(apart());
    }
    Ok((text, changes))
}

fn rounded_millis(duration: Duration) -> u64 {
    let millis = (duration.as_nanos() + 500_000) / 1_000_000;
    u64::try_from(millis).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Place;

    fn tenth(occurrence: &Occurrence) -> Duration {
        occurrence.from / 10
    }

    #[test]
    fn rewrites_durations_only() {
        for (expr, expected) in [
            ("rate(x[5m]) > 0.05", "rate(x[30s]) > 0.05"),
            ("sum(\n  rate(x[5m]) # over [5m]\n) > 5", "sum(\n  rate(x[30s]) # over [5m]\n) > 5"),
            ("max_over_time(x[30m:1m] offset -10m)", "max_over_time(x[3m:6s] offset -1m)"),
            (r#"b{le="0.5"} > 10"#, r#"b{le="0.5"} > 10"#),
            ("rate(x[15s])", "rate(x[1s500ms])"),
            (r#"x{a="[5m]"} @ 1700000000 offset 5m"#, r#"x{a="[5m]"} @ 1700000000 offset 30s"#),
            ("topk(scalar(sum(count_over_time(x[10m]))), y)", "topk(scalar(sum(count_over_time(x[1m]))), y)"),
            ("up == 0", "up == 0"),
        ] {
            let (text, _) = rewrite_durations(expr, tenth).unwrap();
            assert_eq!(text, expected, "{expr}");
        }
    }

    #[test]
    fn returns_the_changes() {
        let (_, changes) = rewrite_durations("x[30m:1m] offset 10m", tenth).unwrap();
        let minutes = |m: u64| Duration::from_secs(60 * m);
        let change = |at, place, from: Duration| Change {
            at,
            occurrence: Occurrence { place, from, jobs: None },
            to: from / 10,
        };
        assert_eq!(
            changes,
            [
                change(2..5, Place::SubqueryRange, minutes(30)),
                change(6..8, Place::SubqueryStep, minutes(1)),
                change(17..20, Place::Offset, minutes(10)),
            ]
        );
    }

    #[test]
    fn rejects_invalid_expressions_and_zero_results() {
        assert!(rewrite_durations("rate(x[5m)", tenth).unwrap_err().to_string().contains("`rate(x[5m)`"));
        let error = rewrite_durations("rate(x[5m])", |_| Duration::ZERO).unwrap_err().to_string();
        assert!(error.contains("`5m`") && error.contains("1ms"), "{error}");
    }

    proptest! {
        /// Doubling and halving restores the expression byte for byte, whatever its layout.
        #[test]
        fn doubling_and_halving_is_the_identity(
            range in 1u64..5_000_000, step in 1u64..100_000, back in 1u64..100_000, blank in "[ \n\t]{0,3}", sign in "-?",
        ) {
            let d = |millis| duration::format(Duration::from_millis(millis));
            let expr = format!(
                "sum(rate(x{{a=\"[5m] # it's\"}}[{blank}{}{blank}]{blank}offset {sign}{})) > 0.5 and y[{}:{}]",
                d(range), d(back), d(range), d(step),
            );
            let expr = expr.replace("and y[", "and max_over_time(y[") + ")";
            let (double, changes) = rewrite_durations(&expr, |occurrence| occurrence.from * 2).unwrap();
            prop_assert_eq!(changes.len(), 4);
            let (back, _) = rewrite_durations(&double, |occurrence| occurrence.from / 2).unwrap();
            prop_assert_eq!(back, expr);
        }
    }
}
