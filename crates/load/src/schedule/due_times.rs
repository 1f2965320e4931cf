//! The schedule: arrival k is due at Λ⁻¹(k), where Λ is the integral of the planned rate.
//!
//! Segments share one Λ, so a fraction of an arrival left at the end of one is carried into the next. Within a straight
//! line from r0 with slope s, m arrivals have come after 2m/(r0 + √(r0² + 2sm)); for a constant rate that is m/r0. A
//! burst is a step of Λ: its arrivals have the same due time.

use crate::error::LoadError;
use std::time::Duration;

use crate::schedule::segment::{Segment, Shape};
use common::rate::Rate;

/// A sequence of segments.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Each segment with Λ and the time in seconds at its start.
    segments: Vec<(Segment, f64, f64)>,
    /// Λ and the time at the end.
    end: (f64, f64),
}

impl Schedule {
    /// A constant rate for `duration`, or endless.
    #[must_use]
    pub fn constant(rate: Rate, duration: Option<Duration>) -> Self {
        let shape = Shape::Line { from: rate.per_second(), to: rate.per_second() };
        Self::build(vec![Segment { duration, shape }])
    }

    /// Linear ramps, each given by its duration and the rate at its end. The first starts at `from` per second.
    ///
    /// # Errors
    /// As [`Schedule::of`].
    pub fn ramps(from: f64, stages: &[(Duration, f64)]) -> Result<Self, LoadError> {
        let mut from = from;
        let ramps = stages.iter().map(|&(duration, to)| {
            let shape = Shape::Line { from: std::mem::replace(&mut from, to), to };
            Segment { duration: Some(duration), shape }
        });
        Self::of(ramps.collect())
    }

    /// A schedule of segments, in order.
    ///
    /// # Errors
    /// When a segment other than a burst has no duration, a rate is negative or not finite, or nothing would be sent.
    pub fn of(segments: Vec<Segment>) -> Result<Self, LoadError> {
        for segment in &segments {
            if segment.duration.is_some_and(|duration| duration.is_zero())
                && !matches!(segment.shape, Shape::Burst { .. })
            {
                return Err(LoadError::Schedule(
                    "invalid duration \"0s\" of a stage: must be at least 1ms".to_owned(),
                ));
            }
            let rates = match segment.shape {
                Shape::Line { from, to } => [from, to],
                Shape::Sine { low, high, .. } => [low, high],
                Shape::Burst { count } => [count, count],
            };
            if let Some(rate) = rates.into_iter().find(|rate| !(rate.is_finite() && *rate >= 0.0)) {
                return Err(LoadError::Schedule(format!(
                    "invalid rate {rate} of a stage: must be at least 0"
                )));
            }
        }
        let schedule = Self::build(segments);
        if schedule.total() == Some(0) {
            return Err(LoadError::Schedule(
                "the stages send less than one request: raise a rate or a duration".to_owned(),
            ));
        }
        Ok(schedule)
    }

    /// The same schedule with rates and bursts multiplied by `rate`, and durations multiplied by `time`.
    #[must_use]
    pub fn scaled(&self, rate: f64, time: f64) -> Self {
        let scaled = self.segments.iter().map(|(segment, ..)| Segment {
            duration: segment.duration.map(|duration| duration.mul_f64(time)),
            shape: match segment.shape {
                Shape::Line { from, to } => Shape::Line { from: from * rate, to: to * rate },
                Shape::Sine { low, high, period } => {
                    Shape::Sine { low: low * rate, high: high * rate, period: period * time }
                }
                Shape::Burst { count } => Shape::Burst { count: count * rate },
            },
        });
        Self::build(scaled.collect())
    }

    fn build(segments: Vec<Segment>) -> Self {
        let mut end = (0.0, 0.0);
        let segments = segments
            .into_iter()
            .map(|segment| {
                let start = end;
                end = (start.0 + segment.count(segment.seconds()), start.1 + segment.seconds());
                (segment, start.0, start.1)
            })
            .collect();
        Self { segments, end }
    }

    /// Number of arrivals, ⌊Λ(end)⌋; `None` when endless.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        // The billionth compensates rounding: 0.1/s for 10 s is one arrival.
        self.end.0.is_finite().then(|| (self.end.0 + 1e-9).floor() as u64)
    }

    /// Whether the last segment is a burst.
    #[must_use]
    pub fn ends_in_a_burst(&self) -> bool {
        self.segments.last().is_some_and(|(segment, ..)| matches!(segment.shape, Shape::Burst { .. }))
    }

    /// Λ at the end; infinite when endless.
    #[must_use]
    pub fn integral(&self) -> f64 {
        self.end.0
    }

    /// When the schedule ends; `None` when endless.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.end.1.is_finite().then(|| Duration::from_secs_f64(self.end.1))
    }

    /// Λ⁻¹: when `position` arrivals have come, in nanoseconds from the start; at most the end of the schedule.
    #[must_use]
    pub fn due_nanos(&self, position: f64) -> u64 {
        // The last segment that starts at or before the position, which skips segments without arrivals.
        let after = self.segments.partition_point(|&(_, count, _)| count <= position);
        let (segment, count, time) = self.segments[after.saturating_sub(1)];
        ((time + segment.time(position - count)) * 1e9).round() as u64
    }

    /// Λ: arrivals due within the first `seconds`.
    #[must_use]
    pub fn count_by(&self, seconds: f64) -> f64 {
        // Due times are whole nanoseconds, so a segment that starts within half a nanosecond has started.
        let begun = self.segments.iter().filter(|(_, _, start)| *start <= seconds + 5e-10);
        begun.map(|(segment, _, start)| segment.count((seconds - start).clamp(0.0, segment.seconds()))).sum()
    }

    /// The planned rate at `seconds` from the start, per second; 0 after the end.
    #[must_use]
    pub fn rate_at(&self, seconds: f64) -> f64 {
        let current = self.segments.iter().find(|(segment, _, start)| seconds < start + segment.seconds());
        current.map_or(0.0, |(segment, _, start)| segment.rate((seconds - start).max(0.0)))
    }

    /// The rate, if it is constant.
    #[must_use]
    pub fn constant_rate(&self) -> Option<f64> {
        match self.segments[..] {
            [(Segment { shape: Shape::Line { from, to }, .. }, ..)] if from == to => Some(from),
            _ => None,
        }
    }

    /// The lowest rate of any segment except bursts, per second.
    #[must_use]
    pub fn min(&self) -> f64 {
        let timed =
            self.segments.iter().filter(|(segment, ..)| !matches!(segment.shape, Shape::Burst { .. }));
        let min = timed.map(|(segment, ..)| segment.min()).fold(f64::INFINITY, f64::min);
        if min.is_finite() { min } else { 0.0 }
    }

    /// The highest rate of any segment except bursts, per second.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.segments.iter().map(|(segment, ..)| segment.peak()).fold(0.0, f64::max)
    }
}

#[cfg(test)]
#[path = "due_times_tests.rs"]
mod tests;
