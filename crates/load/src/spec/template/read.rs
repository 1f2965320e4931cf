//! Parsing of placeholders: `n 200`, `rhythm 55 95 10m`, `take user`.

use crate::error::LoadError;
use crate::spec::template::value::Value;
use common::duration;

/// Reserved words, which cannot name captured values.
pub const WORDS: [&str; 9] = ["n", "int", "float", "rhythm", "timestamp", "uuid", "text", "pick", "take"];

impl Value {
    /// Parses the text between the braces.
    pub fn read(inside: &str) -> Result<Self, LoadError> {
        let words: Vec<&str> = inside.split_whitespace().collect();
        Self::of(&words).ok_or_else(|| {
            let expected = match words.first() {
                Some(&"n") => "such as {{n 200}}",
                Some(&"int") => "a minimum and a maximum, such as {{int 1 100}}",
                Some(&"float") => "a minimum and a maximum, such as {{float 36.1 37.5}}",
                Some(&"rhythm") => {
                    "a minimum, a maximum and a period, such as {{rhythm 55 95 10m}}"
                }
                Some(&"text") => "a length from 1 to 1000000, such as {{text 12}}",
                _ => {
                    "n, n 200, int 1 100, float 0.5 1.5, rhythm 55 95 10m, timestamp, uuid, text 12, pick a b c, or the \
                     name of a captured value, with or without `take` before it"
                }
            };
            LoadError::Spec(format!("`{{{{{inside}}}}}`: expected {expected}"))
        })
    }

    fn of(words: &[&str]) -> Option<Self> {
        Some(match *words {
            ["n"] => Self::Number { modulo: None },
            ["n", modulo] => Self::Number { modulo: Some(modulo.parse().ok().filter(|&modulo| modulo > 0)?) },
            ["int", from, to] => {
                let (from, to) = (from.parse().ok()?, to.parse().ok()?);
                (from <= to).then_some(Self::Int { from, to })?
            }
            ["float", from, to] => {
                let (from, to, decimals) = bounds(from, to)?;
                Self::Float { from, to, decimals }
            }
            ["rhythm", from, to, period] => {
                let (from, to, decimals) = bounds(from, to)?;
                let period = duration::parse(period).ok().filter(|period| !period.is_zero())?;
                Self::Rhythm { from, to, decimals, period }
            }
            ["timestamp"] => Self::Timestamp,
            ["uuid"] => Self::Uuid,
            ["text", length] => {
                Self::Text { length: length.parse().ok().filter(|length| (1..=1_000_000).contains(length))? }
            }
            ["pick", ref words @ ..] if !words.is_empty() => {
                Self::Pick(words.iter().map(|&word| word.to_owned()).collect())
            }
            ["take", name] if is_name(name) => Self::Captured { name: name.to_owned(), take: true },
            [name] if is_name(name) => Self::Captured { name: name.to_owned(), take: false },
            _ => return None,
        })
    }
}

/// Maximum number of decimals of a bound: a floating-point number has no more, and formatting has a limit.
const DECIMALS: usize = 17;

/// Finite bounds in order, and the number of decimals they are written with.
fn bounds(from: &str, to: &str) -> Option<(f64, f64, usize)> {
    let decimals = |text: &str| text.split_once('.').map_or(0, |(_, behind)| behind.len());
    let (min, max): (f64, f64) = (from.parse().ok()?, to.parse().ok()?);
    let fit = min.is_finite() && max.is_finite() && min <= max;
    fit.then_some((min, max, decimals(from).max(decimals(to)).min(DECIMALS)))
}

/// Whether `name` is a valid name for a captured value.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !WORDS.contains(&name)
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
