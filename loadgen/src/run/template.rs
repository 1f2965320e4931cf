//! Text with values that differ from request to request: `/api/users/{{take user}}`, `"w-{{n 200}}"`.

use std::f64::consts::TAU;
use std::time::Duration;

use super::capture::Pools;
use super::dice::Dice;
use crate::duration;

/// Text and values in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Part>);

/// A stretch of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Stands as it is.
    Text(String),
    /// Differs.
    Value(Value),
}

/// What stands between `{{` and `}}`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `n`, `n 200`: the arrival's number from 0, modulo 200.
    Number {
        /// The modulus, when there is one.
        modulo: Option<u64>,
    },
    /// `int 1 6`: a whole number, both ends included.
    Int {
        /// The least.
        from: i64,
        /// The most.
        to: i64,
    },
    /// `float 36.1 37.5`: a number with as many decimals as the bounds have.
    Float {
        /// The least.
        from: f64,
        /// The most.
        to: f64,
        /// Digits behind the point.
        decimals: usize,
    },
    /// `rhythm 55 95 10m`: a number that goes up and down between its bounds over a time, give or take a twentieth.
    Rhythm {
        /// The least.
        from: f64,
        /// The most.
        to: f64,
        /// Digits behind the point.
        decimals: usize,
        /// From one low to the next.
        period: Duration,
    },
    /// `timestamp`: seconds since 1970.
    Timestamp,
    /// `uuid`: a random one, version 4.
    Uuid,
    /// `text 12`: so many letters and digits.
    Text {
        /// How many.
        length: usize,
    },
    /// `pick red green blue`: one of them.
    Pick(Vec<String>),
    /// `user`: one of the youngest values captured under that name; `take user`: the oldest, which is used no more.
    Captured {
        /// The name in `capture`.
        name: String,
        /// Whether it is used up.
        take: bool,
    },
}

/// Where a value comes to stand, and so what must not be in it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Between slashes of a path, or in a query.
    Segment,
    /// The beginning of a path, or all of it.
    Path,
    /// A header's value.
    Header,
    /// Inside of a JSON string, or where a JSON number is.
    Json,
    /// Anywhere else.
    Plain,
}

/// What values are made from.
#[derive(Debug)]
pub struct Moment<'a> {
    /// The arrival's number.
    pub number: u64,
    /// Since the start of the run.
    pub elapsed: Duration,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// The arrival's own.
    pub dice: Dice,
    /// What was captured so far.
    pub pools: &'a Pools,
}

/// The words that are no names of captured values.
pub const WORDS: [&str; 9] = ["n", "int", "float", "rhythm", "timestamp", "uuid", "text", "pick", "take"];

impl Template {
    /// Reads text with `{{…}}` in it.
    ///
    /// # Errors
    /// A sentence that names the placeholder and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (inside, after) = behind
                .split_once("}}")
                .ok_or_else(|| format!("`{{{{{behind}` is not closed: expected `}}}}`"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Value(Value::read(inside)?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Text as it stands, whatever it holds.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// Its parts in their order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The captured values it needs.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Value(Value::Captured { name, .. }) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The text with a 0 for every value.
    #[must_use]
    pub fn sample(&self) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(_) => "0".to_owned(),
        };
        self.0.iter().map(text).collect()
    }

    /// Of JSON text: a string that is nothing but a number becomes that number, `"{{int 1 6}}"` a bare 4.
    #[must_use]
    pub fn with_bare_numbers(mut self) -> Self {
        for at in 1..self.0.len().saturating_sub(1) {
            let [Part::Text(before), Part::Value(value), Part::Text(after)] = &mut self.0[at - 1..=at + 1]
            else {
                continue;
            };
            if value.is_number()
                && before.ends_with('"')
                && !before.ends_with("\\\"")
                && after.starts_with('"')
            {
                before.pop();
                after.remove(0);
            }
        }
        self
    }
}

impl Value {
    fn read(inside: &str) -> Result<Self, String> {
        let words: Vec<&str> = inside.split_whitespace().collect();
        let bad = |expected: &str| format!("`{{{{{inside}}}}}`: expected {expected}");
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

    /// Whether what it comes to is always a JSON number.
    fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Number { .. }
                | Self::Int { .. }
                | Self::Float { .. }
                | Self::Rhythm { .. }
                | Self::Timestamp
        )
    }

    /// Adds the value; the name of what was not captured yet if there is none.
    ///
    /// # Errors
    /// That name.
    pub fn add(&self, place: Place, moment: &mut Moment<'_>, into: &mut Vec<u8>) -> Result<(), &str> {
        use std::io::Write;
        let dice = &mut moment.dice;
        // Writing to a Vec cannot fail, here and below.
        let _ = match self {
            Self::Number { modulo } => {
                write!(into, "{}", modulo.map_or(moment.number, |modulo| moment.number % modulo))
            }
            Self::Int { from, to } => {
                let span = to.abs_diff(*from);
                let above = if span == u64::MAX { dice.roll() } else { dice.below(span + 1) };
                write!(into, "{}", from.wrapping_add_unsigned(above))
            }
            Self::Float { from, to, decimals } => {
                write!(into, "{:.decimals$}", from + (to - from) * dice.unit())
            }
            Self::Rhythm { from, to, decimals, period } => {
                let part = moment.elapsed.as_secs_f64() / period.as_secs_f64();
                let rise = (1.0 - (TAU * part).cos()) / 2.0 + (dice.unit() - 0.5) / 10.0;
                write!(into, "{:.decimals$}", from + (to - from) * rise.clamp(0.0, 1.0))
            }
            Self::Timestamp => write!(into, "{}", moment.timestamp),
            Self::Uuid => {
                let bits = u128::from(dice.roll()) << 64 | u128::from(dice.roll());
                // Version 4 in the 13th digit, variant 10 in the two highest bits of the 17th (RFC 9562, 5.4).
                let bits = bits & !(0xf << 76) | (4 << 76);
                let bits = bits & !(3 << 62) | (2 << 62);
                let [a, b, c, d] =
                    [bits >> 96, bits >> 80 & 0xffff, bits >> 64 & 0xffff, bits >> 48 & 0xffff];
                write!(into, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", bits & 0xffff_ffff_ffff)
            }
            Self::Text { length } => {
                const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
                into.extend((0..*length).map(|_| LETTERS[dice.below(LETTERS.len() as u64) as usize]));
                Ok(())
            }
            Self::Pick(words) => {
                let word = &words[dice.below(words.len() as u64) as usize];
                place.add(word.as_bytes(), into);
                Ok(())
            }
            Self::Captured { name, take } => {
                let value = if *take { moment.pools.take(name) } else { moment.pools.one(name, dice) };
                place.add(&value.ok_or(name.as_str())?, into);
                Ok(())
            }
        };
        Ok(())
    }
}

/// Whether a captured value may be called that.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !WORDS.contains(&name)
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl Place {
    /// Adds bytes so that they stay inside of the place.
    fn add(self, bytes: &[u8], into: &mut Vec<u8>) {
        match self {
            Self::Plain => into.extend_from_slice(bytes),
            Self::Header => into.extend(bytes.iter().map(|&byte| match byte {
                b'\t' | b' '..=b'~' | 0x80.. => byte,
                _ => b'?',
            })),
            Self::Segment => percent_encoded(bytes, b"-._~", into),
            Self::Path => {
                // A `Location` may be a whole URL: host and port are the target's.
                let text = String::from_utf8_lossy(bytes);
                let path = match text.split_once("://") {
                    Some((_, behind)) => behind.find('/').map_or("", |slash| &behind[slash..]),
                    None => &text,
                };
                if !path.starts_with('/') {
                    into.push(b'/');
                }
                percent_encoded(path.as_bytes(), b"-._~/?&=%:@!$'()*+,;", into);
            }
            Self::Json => {
                let text = serde_json::Value::String(String::from_utf8_lossy(bytes).into_owned()).to_string();
                into.extend_from_slice(&text.as_bytes()[1..text.len() - 1]);
            }
        }
    }
}

fn percent_encoded(bytes: &[u8], kept: &[u8], into: &mut Vec<u8>) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            into.push(byte);
        } else {
            into.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
