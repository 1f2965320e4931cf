//! A stretch of the schedule: how its rate goes, how many arrivals that makes by when, and when the n-th of them is.

use std::f64::consts::TAU;
use std::time::Duration;

/// How the rate goes within a segment, in arrivals per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// In a straight line; constant when both are the same.
    Line {
        /// At its start, 0 or more.
        from: f64,
        /// At its end, 0 or more.
        to: f64,
    },
    /// Up and down as 1 − cos, beginning at `low`.
    Sine {
        /// The least rate, 0 or more.
        low: f64,
        /// The highest rate, at least `low`.
        high: f64,
        /// Seconds from one low to the next, more than 0.
        period: f64,
    },
    /// This many arrivals at once; the segment takes no time.
    Burst {
        /// 1 or more.
        count: f64,
    },
}

/// A stretch of time with one shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// How long; endless only as the last and at a constant rate; zero for a burst.
    pub duration: Option<Duration>,
    /// How its rate goes.
    pub shape: Shape,
}

impl Segment {
    /// Its length in seconds, perhaps infinite.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.duration.map_or(f64::INFINITY, |duration| duration.as_secs_f64())
    }

    /// The rate `seconds` into it; a burst has none, as it takes no time.
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
                if from == 0.0 { 0.0 } else { from * seconds } // not 0 × ∞
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

    /// Seconds into it at which `count` arrivals have come.
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

    /// The least rate in it.
    #[must_use]
    pub fn least(&self) -> f64 {
        match self.shape {
            Shape::Line { from, to } => from.min(to),
            Shape::Sine { low, .. } => low,
            Shape::Burst { .. } => 0.0,
        }
    }

    /// The highest rate in it.
    #[must_use]
    pub fn peak(&self) -> f64 {
        match self.shape {
            Shape::Line { from, to } => from.max(to),
            Shape::Sine { high, .. } => high,
            Shape::Burst { .. } => 0.0,
        }
    }

    /// The inverse of [`Self::count`] where there is no closed form: Newton's steps, kept within a shrinking bracket.
    fn search(&self, count: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.seconds());
        let mut guess = high * (count / self.count(high)).min(1.0);
        for _ in 0..100 {
            let off = self.count(guess) - count;
            *(if off > 0.0 { &mut high } else { &mut low }) = guess;
            let step = guess - off / self.rate(guess);
            let next = if step > low && step < high { step } else { f64::midpoint(low, high) };
            // A tenth of a nanosecond: due times are whole ones.
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
    fn a_wave_has_its_low_its_high_and_its_mean() {
        let wave = sine(60.0, 10.0, 50.0, 20.0);
        for (seconds, rate) in [(0.0, 10.0), (5.0, 30.0), (10.0, 50.0), (20.0, 10.0), (50.0, 50.0)] {
            assert!((wave.rate(seconds) - rate).abs() < 1e-9, "{seconds}");
        }
        // Whole periods come at the mean; the low quarter holds less than a quarter of them.
        for (seconds, count) in [(20.0, 600.0), (60.0, 1_800.0), (5.0, 30.0 * 5.0 - 20.0 * 20.0 / TAU)] {
            assert!((wave.count(seconds) - count).abs() < 1e-9, "{seconds}");
        }
        assert_eq!(wave.peak(), 50.0);
    }

    proptest! {
        #[test]
        fn a_waves_times_invert_its_counts(
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
            // Where the rate is next to nothing a time is hard to tell, but the count is not.
            prop_assert!((wave.count(time) - count).abs() < 1e-6 * (1.0 + count), "{time} {count}");
        }
    }
}
