//! Placeholders, and their values for one arrival.

use std::f64::consts::TAU;
use std::io::Write;
use std::time::Duration;

use crate::spec::capture::Pools;
use crate::spec::template::place::Place;
use common::rng::Rng;

/// A placeholder: the text between `{{` and `}}`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `n`, `n 200`: the arrival's number from 0, modulo 200.
    Number {
        /// The modulus, if given.
        modulo: Option<u64>,
    },
    /// `int 1 6`: an integer, both ends included.
    Int {
        /// Minimum.
        from: i64,
        /// Maximum.
        to: i64,
    },
    /// `float 36.1 37.5`: a number with as many decimals as the bounds have.
    Float {
        /// Minimum.
        from: f64,
        /// Maximum.
        to: f64,
        /// Number of decimals.
        decimals: usize,
    },
    /// `rhythm 55 95 10m`: a number that rises and falls between its bounds over a period, with ±5 % noise.
    Rhythm {
        /// Minimum.
        from: f64,
        /// Maximum.
        to: f64,
        /// Number of decimals.
        decimals: usize,
        /// Time from one minimum to the next.
        period: Duration,
    },
    /// `timestamp`: seconds since 1970.
    Timestamp,
    /// `uuid`: a random version 4 UUID.
    Uuid,
    /// `text 12`: random letters and digits.
    Text {
        /// Number of characters.
        length: usize,
    },
    /// `pick red green blue`: one of the words.
    Pick(Vec<String>),
    /// `user`: one of the newest values captured under that name. `take user`: the oldest value, which is removed.
    Captured {
        /// The name in `capture`.
        name: String,
        /// Whether the value is removed.
        take: bool,
    },
}

/// Input for the values of one arrival.
#[derive(Debug)]
pub struct Moment<'a> {
    /// The arrival's number.
    pub number: u64,
    /// Time since the start of the run.
    pub elapsed: Duration,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// The arrival's random numbers.
    pub rng: Rng,
    /// Values captured so far.
    pub pools: &'a Pools,
}

impl Value {
    /// Whether its value is always a JSON number.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Number { .. }
                | Self::Int { .. }
                | Self::Float { .. }
                | Self::Rhythm { .. }
                | Self::Timestamp
        )
    }

    /// Appends the value to `into`.
    ///
    /// # Errors
    /// The name of a value that was not captured yet.
    pub fn add(&self, place: Place, moment: &mut Moment<'_>, into: &mut Vec<u8>) -> Result<(), &str> {
        let rng = &mut moment.rng;
        // Writing to a Vec cannot fail.
        let _ = match self {
            Self::Number { modulo } => {
                write!(into, "{}", modulo.map_or(moment.number, |modulo| moment.number % modulo))
            }
            Self::Int { from, to } => {
                let span = to.abs_diff(*from);
                let above = if span == u64::MAX { rng.next_u64() } else { rng.below(span + 1) };
                write!(into, "{}", from.wrapping_add_unsigned(above))
            }
            Self::Float { from, to, decimals } => {
                write!(into, "{:.decimals$}", from + (to - from) * rng.unit())
            }
            Self::Rhythm { from, to, decimals, period } => {
                let part = moment.elapsed.as_secs_f64() / period.as_secs_f64();
                let rise = (1.0 - (TAU * part).cos()) / 2.0 + (rng.unit() - 0.5) / 10.0;
                write!(into, "{:.decimals$}", from + (to - from) * rise.clamp(0.0, 1.0))
            }
            Self::Timestamp => write!(into, "{}", moment.timestamp),
            Self::Uuid => {
                let bits = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
                write!(into, "{}", uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
            }
            Self::Text { length } => {
                const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
                into.extend((0..*length).map(|_| LETTERS[rng.below(LETTERS.len() as u64) as usize]));
                Ok(())
            }
            Self::Pick(words) => {
                let word = &words[rng.below(words.len() as u64) as usize];
                place.add(word.as_bytes(), into);
                Ok(())
            }
            Self::Captured { name, take } => {
                let value = if *take { moment.pools.take(name) } else { moment.pools.one(name, rng) };
                place.add(&value.ok_or(name.as_str())?, into);
                Ok(())
            }
        };
        Ok(())
    }
}
