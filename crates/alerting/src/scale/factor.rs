//! Division of durations, and its lower limits.

use std::time::Duration;

use crate::scale::error::OptionError;

/// The shortest duration: Prometheus and Alertmanager work in whole seconds, and shorter waits would only cost time.
pub const FLOOR: Duration = Duration::from_secs(1);
/// The number of scrapes a range must contain at least, so that a rate has samples when one scrape is late.
pub const SCRAPES_PER_RANGE: u32 = 4;

/// The divisor of durations: finite and at least 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor(f64);

/// The result of dividing a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Divided {
    /// The result, in whole milliseconds.
    pub to: Duration,
    /// The plain quotient, when a floor required more.
    pub instead_of: Option<Duration>,
}

impl Factor {
    /// Creates a divisor.
    ///
    /// # Errors
    /// `by` is below 1 or not finite.
    pub fn new(by: f64) -> Result<Self, OptionError> {
        if by.is_finite() && by >= 1.0 { Ok(Self(by)) } else { Err(OptionError::Factor(by.to_string())) }
    }

    /// Whether durations stay unchanged.
    #[must_use]
    pub fn is_one(self) -> bool {
        self.0 <= 1.0
    }

    /// Divides `from`, to no less than `floor` and no more than `from`.
    pub fn divide(self, from: Duration, floor: Duration) -> Divided {
        let plain = self.plain(from);
        let to = plain.max(floor.min(from));
        Divided { to, instead_of: (to > plain).then_some(plain) }
    }

    fn plain(self, from: Duration) -> Duration {
        if self.is_one() {
            return from;
        }
        // A valid duration divided by 1 or more is a valid duration.
        let nanos = from.div_f64(self.0).as_nanos();
        Duration::from_millis(u64::try_from((nanos + 500_000) / 1_000_000).unwrap_or(u64::MAX))
    }
}

impl std::str::FromStr for Factor {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        Self::new(text.parse().map_err(|_| OptionError::Factor(text.to_owned()))?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn divides_down_to_the_floor() {
        let ms = Duration::from_millis;
        for (by, from, floor, to, instead_of) in [
            (20.0, 120_000, 1_000, 6_000, None),
            (20.0, 15_000, 1_000, 1_000, Some(750)),
            (20.0, 300_000, 4_000, 15_000, None),
            (20.0, 60_000, 4_000, 4_000, Some(3_000)),
            (10.0, 15_000, 1_000, 1_500, None),
            (3.0, 10_000, 1_000, 3_333, None),
            (1.0, 15_000, 60_000, 15_000, None),
            (20.0, 500, 1_000, 500, Some(25)),
            (20.0, 0, 1_000, 0, None),
        ] {
            let divided = Factor::new(by).unwrap().divide(ms(from), ms(floor));
            assert_eq!(divided, Divided { to: ms(to), instead_of: instead_of.map(ms) }, "{from} / {by}");
        }
    }

    #[test]
    fn rejects_invalid_scales() {
        for text in ["0", "0.5", "-2", "NaN", "inf", "", "fast"] {
            assert!(text.parse::<Factor>().unwrap_err().to_string().contains(&format!("`{text}`")), "{text}");
        }
    }

    proptest! {
        #[test]
        fn keeps_the_order_and_never_increases(by in 1.0f64..1000.0, a in 0u64..10_000_000, b in 0u64..10_000_000) {
            let factor = Factor::new(by).unwrap();
            let divided = |millis| factor.divide(Duration::from_millis(millis), FLOOR).to;
            prop_assert!(divided(a) <= Duration::from_millis(a));
            // A timeout that is shorter than its interval stays so.
            prop_assert!(a > b || divided(a) <= divided(b));
        }
    }
}
