//! A segment of the schedule: its rate, the number of arrivals up to a time, and the inverse.

use std::f64::consts::TAU;
use std::time::Duration;

/// The rate within a segment, in arrivals per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// A straight line; constant when both ends are the same.
    Line {
        /// Rate at the start, at least 0.
        from: f64,
        /// Rate at the end, at least 0.
        to: f64,
    },
    /// A wave of the form 1 − cos, starting at `low`.
    Sine {
        /// Lowest rate, at least 0.
        low: f64,
        /// Highest rate, at least `low`.
        high: f64,
        /// Period in seconds, above 0.
        period: f64,
    },
    /// Arrivals at one instant; the segment has no duration.
    Burst {
        /// Number of arrivals, at least 1.
        count: f64,
    },
}

/// A part of the schedule with one shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// Duration: zero for a burst; only a last segment with a constant rate may be endless.
    pub duration: Option<Duration>,
    /// The rate over time.
    pub shape: Shape,
}

impl Segment {
    /// Its length in seconds; may be infinite.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.duration.map_or(f64::INFINITY, |duration| duration.as_secs_f64())
    }

    /// The rate `seconds` after its start; 0 for a burst.
    #[must_use]
    pub fn rate(&self, seconds: f64) -> f64 {
        match self.shape {
            Shape::Line { from, to } if from == to => from,
            Shape::Line { from, to } => from + (to - from) * (seconds / self.seconds()).clamp(0.0, 1.0),
            Shape::Sine { low, high, period } => {
                low + (high - low) * (1.0 - (TAU * seconds / period).cos()) / 2.0
            }
            Shape::Burst { .. } => 0.0,
        }
    }

    /// Arrivals within its first `seconds`.
    #[must_use]
    pub fn count(&self, seconds: f64) -> f64 {
        match self.shape {
            Shape::Line { from, to } if from == to => {
                if from == 0.0 { 0.0 } else { from * seconds } // avoids 0 × ∞
            }
            Shape::Line { from, to } => {
                let slope = (to - from) / self.seconds();
                from * seconds + slope * seconds * seconds / 2.0
            }
            Shape::Sine { low, high, period } => {
                let half = (high - low) / 2.0;
                (low + half) * seconds - half * period / TAU * (TAU * seconds / period).sin()
            }
            Shape::Burst { count } => count,
        }
    }

    /// Seconds after its start when `count` arrivals have come.
    #[must_use]
    pub fn time(&self, count: f64) -> f64 {
        if count <= 0.0 {
            return 0.0;
        }
        match self.shape {
            Shape::Line { from, to } if from == to => count / from,
            Shape::Line { from, to } => {
                let slope = (to - from) / self.seconds();
                let root = (from * from + 2.0 * slope * count).max(0.0).sqrt();
                (2.0 * count / (from + root)).min(self.seconds())
            }
            Shape::Sine { .. } => self.search(count),
            Shape::Burst { .. } => 0.0,
        }
    }

    /// Its lowest rate.
    #[must_use]
    pub fn min(&self) -> f64 {
        match self.shape {
            Shape::Line { from, to } => from.min(to),
            Shape::Sine { low, .. } => low,
            Shape::Burst { .. } => 0.0,
        }
    }

    /// Its highest rate.
    #[must_use]
    pub fn peak(&self) -> f64 {
        match self.shape {
            Shape::Line { from, to } => from.max(to),
            Shape::Sine { high, .. } => high,
            Shape::Burst { .. } => 0.0,
        }
    }

    /// The inverse of [`Self::count`] without a closed form: Newton's method within a shrinking bracket.
    fn search(&self, count: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.seconds());
        let mut guess = high * (count / self.count(high)).min(1.0);
        for _ in 0..100 {
            let off = self.count(guess) - count;
            *(if off > 0.0 { &mut high } else { &mut low }) = guess;
            let step = guess - off / self.rate(guess);
            let next = if step > low && step < high { step } else { f64::midpoint(low, high) };
            // A tenth of a nanosecond is precise enough, as due times are whole nanoseconds.
            if (next - guess).abs() < 1e-10 {
                return next;
            }
            guess = next;
        }
        guess
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sine(seconds: f64, low: f64, high: f64, period: f64) -> Segment {
        Segment { duration: Some(Duration::from_secs_f64(seconds)), shape: Shape::Sine { low, high, period } }
    }

    #[test]
    fn sine_has_its_low_high_and_mean() {
        let wave = sine(60.0, 10.0, 50.0, 20.0);
        for (seconds, rate) in [(0.0, 10.0), (5.0, 30.0), (10.0, 50.0), (20.0, 10.0), (50.0, 50.0)] {
            assert!((wave.rate(seconds) - rate).abs() < 1e-9, "{seconds}");
        }
        // Whole periods have the mean rate; the first quarter of a period has fewer than a quarter of its arrivals.
        for (seconds, count) in [(20.0, 600.0), (60.0, 1_800.0), (5.0, 30.0 * 5.0 - 20.0 * 20.0 / TAU)] {
            assert!((wave.count(seconds) - count).abs() < 1e-9, "{seconds}");
        }
        assert_eq!(wave.peak(), 50.0);
    }

    proptest! {
        #[test]
        fn sine_time_inverts_count(
            seconds in 0.5_f64..500.0,
            low in 0.0_f64..100.0,
            over in 0.0_f64..1_000.0,
            period in 0.1_f64..700.0,
            part in 0.0_f64..1.0,
        ) {
            let wave = sine(seconds, low, low + over + 0.01, period);
            let count = wave.count(wave.seconds()) * part;
            let time = wave.time(count);
            prop_assert!((0.0..=wave.seconds()).contains(&time));
            // Near a rate of 0 the time is ill-conditioned, but the count is not.
            prop_assert!((wave.count(time) - count).abs() < 1e-6 * (1.0 + count), "{time} {count}");
        }
    }
}
