//! Axes of a plot: scales and ticks.

/// A linear or logarithmic range of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Minimum of the axis.
    pub low: f64,
    /// Maximum of the axis, above `low`.
    pub high: f64,
    /// Whether the scale is logarithmic.
    pub log: bool,
}

/// Ratio of the largest to the smallest value above which the scale is logarithmic.
const WIDE: f64 = 30.0;

impl Scale {
    /// A linear scale from 0 to a round number above every value.
    #[must_use]
    pub fn linear(values: impl Iterator<Item = f64>) -> Self {
        let max = values.fold(0.0, f64::max);
        let max = if max > 0.0 { max } else { 1.0 };
        let step = round_step(max, 4.0);
        Self { low: 0.0, high: (max / step).ceil() * step, log: false }
    }

    /// A scale for latencies: logarithmic when the values are far apart, else linear.
    #[must_use]
    pub fn fitting(values: impl Iterator<Item = f64> + Clone) -> Self {
        let min = values.clone().filter(|&value| value > 0.0).fold(f64::INFINITY, f64::min);
        let max = values.clone().fold(0.0, f64::max);
        if !(min.is_finite() && max > min * WIDE) {
            return Self::linear(values);
        }
        let power = |exponent: f64| 10_f64.powf(exponent);
        Self { low: power(min.log10().floor()), high: power(max.log10().ceil()), log: true }
    }

    /// The position of a value, from 0 at `low` to 1 at `high`.
    #[must_use]
    pub fn part(&self, value: f64) -> f64 {
        let part = if self.log {
            (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        part.clamp(0.0, 1.0)
    }

    /// The values of the ticks.
    #[must_use]
    pub fn ticks(&self) -> Vec<f64> {
        if self.log {
            let decades = (self.high / self.low).log10().round() as i32;
            return (0..=decades).map(|decade| self.low * 10_f64.powi(decade)).collect();
        }
        let step = round_step(self.high - self.low, 4.0);
        let count = ((self.high - self.low) / step + 1e-9).floor() as u32;
        (0..=count).map(|index| self.low + f64::from(index) * step).collect()
    }
}

/// A step of 1, 2 or 5 times a power of ten that divides `span` into about `parts` parts.
fn round_step(span: f64, parts: f64) -> f64 {
    let rough = span / parts;
    let power = 10_f64.powf(rough.log10().floor());
    let factor =
        [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough * 0.999).unwrap_or(10.0);
    factor * power
}

/// Ticks of a time axis in seconds, at most seven.
#[must_use]
pub fn time_ticks(seconds: f64) -> Vec<f64> {
    const STEPS: [f64; 18] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0,
        14_400.0, 21_600.0, 43_200.0, 86_400.0,
    ];
    let step =
        STEPS.into_iter().find(|step| seconds / step <= 6.0).unwrap_or_else(|| round_step(seconds, 6.0));
    (0..=(seconds / step) as u32).map(|index| f64::from(index) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        for (max, high, ticks) in
            [(95.0, 100.0, 5), (1.0, 1.0, 5), (0.0, 1.0, 5), (10_400.0, 15_000.0, 4), (0.003, 0.003, 4)]
        {
            let scale = Scale::linear([0.0, max].into_iter());
            assert!((scale.high - high).abs() < 1e-9 * high, "{max}: {scale:?}");
            assert!((3..=6).contains(&scale.ticks().len()) && ticks <= 6, "{max}: {:?}", scale.ticks());
            assert_eq!(scale.part(scale.high), 1.0);
        }
        let wide = Scale::fitting([0.0002, 0.9].into_iter());
        assert_eq!((wide.log, wide.ticks().len()), (true, 5));
        assert!((wide.low - 1e-4).abs() < 1e-12 && (wide.high - 1.0).abs() < 1e-9);
        assert!((wide.part(0.01) - 0.5).abs() < 1e-9);
        assert_eq!([wide.part(0.0), wide.part(7.0)], [0.0, 1.0]);
        assert!(!Scale::fitting([0.2, 0.9].into_iter()).log);
    }

    #[test]
    fn time_axis_has_at_most_seven_ticks() {
        for seconds in [0.5, 1.0, 30.0, 61.0, 420.0, 3_600.0, 86_400.0, 1e6] {
            let ticks = time_ticks(seconds);
            assert!((1..=7).contains(&ticks.len()), "{seconds}: {ticks:?}");
            assert!(ticks.iter().all(|&tick| tick <= seconds));
        }
    }
}
