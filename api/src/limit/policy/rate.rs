use std::{fmt, str::FromStr};

/// So many requests per period: `100/s`, `30/m`, `1000/h`, `5000/d`, `10/5s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per period, at least 1.
    pub count: u64,
    /// Period in seconds, 1 to 86,400.
    pub seconds: u64,
}

const LONGEST_PERIOD: u64 = 86_400;

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected requests per period, such as \"100/s\", \"30/m\" or \"10/5s\"".to_owned();
        let (count, period) = text.trim().split_once('/').ok_or_else(expected)?;
        let count: u64 = count.trim().parse().map_err(|_| expected())?;
        if count == 0 {
            return Err("a rate of zero would refuse everything for ever; write at least \"1/d\"".to_owned());
        }
        let period = period.trim();
        let unit_at = period.find(|c: char| !c.is_ascii_digit()).ok_or_else(expected)?;
        let (many, unit) = period.split_at(unit_at);
        let many: u64 = if many.is_empty() { 1 } else { many.parse().map_err(|_| expected())? };
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(expected()),
        };
        let seconds = many.saturating_mul(unit);
        if !(1..=LONGEST_PERIOD).contains(&seconds) {
            return Err("the period must be from 1 second to 1 day".to_owned());
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
    fn reads_every_form() {
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
