//! The share grammar of `?delay=50ms:90,2s:10` and `?status=503:20,404:10`: values with percentages.
//!
//! `VALUE` alone applies always; `VALUE:PERCENT,…` gives each value its share of the requests, and the rest gets none
//! of them. Percentages may have decimals, are above 0 and sum to at most 100.

/// Values with their shares of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares<T> {
    /// Values with the upper end of their slice of 0.0..=1.0, ascending.
    slices: Vec<(T, f64)>,
}

/// A text outside the grammar; the message names the part and the error.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// A value that the caller's parser rejected.
    #[error("`{part}`: {reason}")]
    Value {
        /// The part of the text between commas.
        part: String,
        /// The value parser's error.
        reason: String,
    },
    /// A percentage that is not a number above 0 and at most 100.
    #[error("`{0}`: the share must be a percentage above 0 and at most 100, such as `20`")]
    Percent(String),
    /// A list with a value without a share.
    #[error("`{0}`: every value of a list needs a share, such as `{0}:50`")]
    Missing(String),
    /// Shares that sum to more than 100 %.
    #[error("the shares add up to {0} %: must be at most 100 %")]
    Sum(String),
}

impl<T: Clone> Shares<T> {
    /// Parses `text`; `value` parses each value.
    ///
    /// # Errors
    /// [`ShareError`] naming the invalid part.
    pub fn parse<E: ToString>(text: &str, value: impl Fn(&str) -> Result<T, E>) -> Result<Self, ShareError> {
        let read = |part: &str, text: &str| {
            value(text.trim())
                .map_err(|reason| ShareError::Value { part: part.to_owned(), reason: reason.to_string() })
        };
        if !text.contains([',', ':']) {
            return Ok(Self { slices: vec![(read(text, text)?, 1.0)] });
        }
        let mut slices = Vec::new();
        let mut sum = 0.0;
        for part in text.split(',') {
            let (name, percent) =
                part.split_once(':').ok_or_else(|| ShareError::Missing(part.trim().to_owned()))?;
            let parsed = read(part, name)?;
            let share: f64 =
                percent.trim().parse().map_err(|_| ShareError::Percent(part.trim().to_owned()))?;
            if !(share > 0.0 && share <= 100.0) {
                return Err(ShareError::Percent(part.trim().to_owned()));
            }
            sum += share;
            slices.push((parsed, sum / 100.0));
        }
        // Decimals such as 33.3 + 33.3 + 33.4 may exceed 100 by a rounding error.
        if sum > 100.0 + 1e-9 {
            return Err(ShareError::Sum(format!("{sum}")));
        }
        Ok(Self { slices })
    }

    /// The value for `point`, a number from 0.0 (included) to 1.0 (excluded); `None` in the rest that belongs to no
    /// value.
    pub fn pick(&self, point: f64) -> Option<T> {
        self.slices.iter().find(|(_, end)| point < *end).map(|(value, _)| value.clone())
    }
}

/// A uniform random number from 0.0 (included) to 1.0 (excluded).
pub(crate) fn random_point() -> f64 {
    // The upper 48 bits of a v4 UUID are random; the version and variant bits are below them.
    let bits = uuid::Uuid::new_v4().as_u64_pair().0 >> 16;
    bits as f64 / (1u64 << 48) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<u16, &'static str> {
        text.parse().map_err(|_| "not a number")
    }

    #[test]
    fn picks_by_share() {
        let shares = Shares::parse("503:20,404:10", number).unwrap();
        for (point, expected) in [
            (0.0, Some(503)),
            (0.199, Some(503)),
            (0.2, Some(404)),
            (0.299, Some(404)),
            (0.3, None),
            (0.999, None),
        ] {
            assert_eq!(shares.pick(point), expected, "{point}");
        }
        assert_eq!(Shares::parse("503", number).unwrap().pick(0.999), Some(503));
        assert_eq!(Shares::parse("1:33.3,2:33.3,3:33.4", number).unwrap().pick(0.99), Some(3));
    }

    #[test]
    fn rejects_invalid_shares() {
        for (text, needle) in [
            ("x", "not a number"),
            ("", "not a number"),
            ("503:20,x:3", "`x:3`"),
            ("503:0", "above 0"),
            ("503:-1", "above 0"),
            ("503:101", "at most 100"),
            ("503:NaN", "above 0"),
            ("503:abc", "percentage"),
            ("503,404:10", "needs a share"),
            ("503:60,404:50", "110 %"),
            ("503:20,", "needs a share"),
        ] {
            let error = Shares::parse(text, number).unwrap_err().to_string();
            assert!(error.contains(needle), "{text}: {error}");
        }
    }

    #[test]
    fn random_points_cover_the_unit_interval() {
        let points: Vec<f64> = (0..1000).map(|_| random_point()).collect();
        assert!(points.iter().all(|p| (0.0..1.0).contains(p)));
        let mean = points.iter().sum::<f64>() / 1000.0;
        // The standard error of the mean is 0.009; a deviation of ten of them is not chance.
        assert!((mean - 0.5).abs() < 0.09, "{mean}");
    }
}
