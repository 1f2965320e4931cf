//! Request rates: `40/s`, `0.5/s`, `90/m`, `3600/h`. A bare number is per second.

use serde::{Deserialize, Deserializer, de};

use crate::error::Error;

/// Requests per second, positive and finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// # Errors
    /// When `per_second` is not a positive, finite number.
    pub fn new(per_second: f64) -> Result<Self, Error> {
        if per_second.is_finite() && per_second > 0.0 {
            Ok(Self(per_second))
        } else {
            Err(Error::RateNumber(per_second))
        }
    }

    /// Requests per second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        self.0
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl std::str::FromStr for Rate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::Rate(text.to_owned());
        let (count, seconds) = match text.trim().split_once('/') {
            None => (text.trim(), 1.0),
            Some((count, unit)) => {
                let seconds = match unit.trim() {
                    "s" => 1.0,
                    "m" => 60.0,
                    "h" => 3600.0,
                    _ => return Err(bad()),
                };
                (count.trim(), seconds)
            }
        };
        let count: f64 = count.parse().map_err(|_| bad())?;
        Self::new(count / seconds).map_err(|_| bad())
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(f64),
            Text(String),
        }
        match Form::deserialize(from)? {
            Form::Number(per_second) => Self::new(per_second),
            Form::Text(text) => text.parse(),
        }
        .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_unit() {
        for (text, per_second) in
            [("40/s", 40.0), ("90/m", 1.5), ("3600/h", 1.0), ("0.5/s", 0.5), (" 7 ", 7.0)]
        {
            assert_eq!(text.parse::<Rate>().unwrap().per_second(), per_second, "{text}");
        }
        for text in ["", "0/s", "-1/s", "40/d", "many/s", "inf", "NaN/s"] {
            assert!(text.parse::<Rate>().unwrap_err().to_string().contains(&format!("`{text}`")), "{text}");
        }
    }
}
