//! What stands between `{{` and `}}`, and what it comes to for one arrival.

use std::f64::consts::TAU;
use std::io::Write;
use std::time::Duration;

use crate::spec::capture::Pools;
use crate::spec::template::place::Place;
use common::rng::Dice;

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

impl Value {
    /// Whether what it comes to is always a JSON number.
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

    /// Adds the value; the name of what was not captured yet if there is none.
    ///
    /// # Errors
    /// That name.
    pub fn add(&self, place: Place, moment: &mut Moment<'_>, into: &mut Vec<u8>) -> Result<(), &str> {
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
                write!(into, "{}", uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
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
