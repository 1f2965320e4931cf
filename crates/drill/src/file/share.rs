//! A share, as written in a drill file.

use crate::error::DrillError;
use serde::{Deserialize, Deserializer, de};

/// A positive number: `8%`, `0.08` or, for rules that count, `240`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(pub f64);

impl std::str::FromStr for Share {
    type Err = DrillError;

    fn from_str(text: &str) -> Result<Self, DrillError> {
        let trimmed = text.trim();
        let (number, divisor) =
            trimmed.strip_suffix('%').map_or((trimmed, 1.0), |number| (number.trim_end(), 100.0));
        match number.parse::<f64>() {
            Ok(number) if number.is_finite() && number > 0.0 => Ok(Self(number / divisor)),
            _ => Err(DrillError::Field(format!(
                "`{text}` is not a share: expected a positive number, such as 8%, 0.08 or 240"
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Numbers are read as text, so that `0.08` and `8%` go through one parser.
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}
