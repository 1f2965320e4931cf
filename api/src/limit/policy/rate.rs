use std::{fmt, str::FromStr};

/// Requests per period: `100/s`, `30/m`, `1000/h`, `5000/d`, `10/5s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per period, at least 1.
    pub count: u64,
    /// Period in seconds, 1 to 86,400.
    pub seconds: u64,
}

const LONGEST_PERIOD: u64 = 86_400;

/// A text that is not a valid rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Not a number of requests per period.
    #[error("expected requests per period, such as \"100/s\", \"30/m\" or \"10/5s\"")]
    Form,
    /// A rate of zero.
    #[error("must be at least \"1/d\": a rate of zero would refuse every request")]
    Zero,
    /// Too short or too long.
    #[error("must have a period from 1 second to 1 day")]
    Period,
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (count, period) = text.trim().split_once('/').ok_or(RateError::Form)?;
        let count: u64 = count.trim().parse().map_err(|_| RateError::Form)?;
        if count == 0 {
            return Err(RateError::Zero);
        }
        let period = period.trim();
        let unit_at = period.find(|c: char| !c.is_ascii_digit()).ok_or(RateError::Form)?;
        let (many, unit) = period.split_at(unit_at);
        let many: u64 = if many.is_empty() { 1 } else { many.parse().map_err(|_| RateError::Form)? };
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(RateError::Form),
        };
        let seconds = many.saturating_mul(unit);
        if !(1..=LONGEST_PERIOD).contains(&seconds) {
            return Err(RateError::Period);
        }
        Ok(Self { count, seconds })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            1 => write!(f, "{}/s", self.count),
            seconds => write!(f, "{}/{seconds}s", self.count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_form() {
        for (text, count, seconds) in [
            ("100/s", 100, 1),
            (" 30 / m ", 30, 60),
            ("1000/h", 1000, 3600),
            ("5000/d", 5000, 86_400),
            ("10/5s", 10, 5),
            ("1/24h", 1, 86_400),
        ] {
            assert_eq!(text.parse(), Ok(Rate { count, seconds }), "{text}");
        }
        for text in ["", "100", "0/s", "x/s", "1/", "1/5", "1/w", "1/0s", "1/2d", "-1/s", "1.5/s"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
