//! Placeholders as they are written: `n 200`, `rhythm 55 95 10m`, `take user`.

use crate::error::LoadError;
use crate::spec::template::value::Value;
use common::duration;

/// The words that are no names of captured values.
pub const WORDS: [&str; 9] = ["n", "int", "float", "rhythm", "timestamp", "uuid", "text", "pick", "take"];

impl Value {
    /// Reads what stands between the braces.
    pub fn read(inside: &str) -> Result<Self, LoadError> {
        let words: Vec<&str> = inside.split_whitespace().collect();
        let bad = |expected: &str| LoadError::Spec(format!("`{{{{{inside}}}}}`: expected {expected}"));
        let float = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        let decimals = |texts: [&str; 2]| {
            texts
                .iter()
                .map(|text| text.split_once('.').map_or(0, |(_, behind)| behind.len()))
                .max()
                .unwrap_or(0)
        };
        match words[..] {
            ["n"] => Ok(Self::Number { modulo: None }),
            ["n", modulo] => {
                let modulo = modulo.parse().ok().filter(|&modulo| modulo > 0);
                modulo
                    .map(|modulo| Self::Number { modulo: Some(modulo) })
                    .ok_or_else(|| bad("such as {{n 200}}"))
            }
            ["int", from, to] => match (from.parse(), to.parse()) {
                (Ok(from), Ok(to)) if from <= to => Ok(Self::Int { from, to }),
                _ => Err(bad("the least and the most, such as {{int 1 100}}")),
            },
            ["float", from, to] => match (float(from), float(to)) {
                (Some(least), Some(most)) if least <= most => {
                    Ok(Self::Float { from: least, to: most, decimals: decimals([from, to]) })
                }
                _ => Err(bad("the least and the most, such as {{float 36.1 37.5}}")),
            },
            ["rhythm", from, to, period] => match (float(from), float(to), duration::parse(period)) {
                (Some(least), Some(most), Ok(period)) if least <= most && !period.is_zero() => {
                    Ok(Self::Rhythm { from: least, to: most, decimals: decimals([from, to]), period })
                }
                _ => Err(bad("the least, the most and the time of a day, such as {{rhythm 55 95 10m}}")),
            },
            ["int", ..] => Err(bad("the least and the most, such as {{int 1 100}}")),
            ["float", ..] => Err(bad("the least and the most, such as {{float 36.1 37.5}}")),
            ["rhythm", ..] => {
                Err(bad("the least, the most and the time of a day, such as {{rhythm 55 95 10m}}"))
            }
            ["timestamp"] => Ok(Self::Timestamp),
            ["uuid"] => Ok(Self::Uuid),
            ["text", length] => match length.parse() {
                Ok(length @ 1..=1_000_000) => Ok(Self::Text { length }),
                _ => Err(bad("a length from 1 to 1000000, such as {{text 12}}")),
            },
            ["pick", ref words @ ..] if !words.is_empty() => {
                Ok(Self::Pick(words.iter().map(|&word| word.to_owned()).collect()))
            }
            ["take", name] if is_name(name) => Ok(Self::Captured { name: name.to_owned(), take: true }),
            [name] if is_name(name) => Ok(Self::Captured { name: name.to_owned(), take: false }),
            _ => Err(bad(
                "n, n 200, int 1 100, float 0.5 1.5, rhythm 55 95 10m, timestamp, uuid, text 12, pick a b c, or the \
                 name of a captured value, perhaps with `take` before it",
            )),
        }
    }
}

/// Whether a captured value may be called that.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !WORDS.contains(&name)
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
