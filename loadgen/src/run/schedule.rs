//! The planned rate over time, and its inverse: arrival k is due at Λ⁻¹(k), Λ being the rate's integral.
//!
//! Segments share one Λ, so a fraction of an arrival left at the end of one carries into the next. Within a straight
//! line from r0 with slope s, m arrivals have come after 2m/(r0 + √(r0² + 2sm)); for a constant rate that is m/r0. A
//! burst is a step of Λ: its arrivals share one instant.

use std::time::Duration;

use super::segment::{Segment, Shape};
use crate::rate::Rate;

/// Segments one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Each with Λ and the time, in seconds, at its start.
    segments: Vec<(Segment, f64, f64)>,
    /// Λ and the time at the end.
    end: (f64, f64),
}

impl Schedule {
    /// A constant rate, for `duration` or without end.
    #[must_use]
    pub fn constant(rate: Rate, duration: Option<Duration>) -> Self {
        let shape = Shape::Line { from: rate.per_second(), to: rate.per_second() };
        Self::build(vec![Segment { duration, shape }])
    }

    /// Ramps: each pair is a duration and the rate per second at its end; the first starts from `from` per second.
    ///
    /// # Errors
    /// When there is no stage, one lasts no time, a rate is not a number of 0 or more, or nothing would ever be sent.
    pub fn ramps(from: f64, stages: &[(Duration, f64)]) -> Result<Self, String> {
        let mut from = from;
        let ramps = stages.iter().map(|&(duration, to)| {
            let shape = Shape::Line { from: std::mem::replace(&mut from, to), to };
            Segment { duration: Some(duration), shape }
        });
        Self::of(ramps.collect())
    }

    /// Segments in their order.
    ///
    /// # Errors
    /// When there is none, one other than a burst lasts no time, a rate is not a number of 0 or more, or nothing would
    /// ever be sent.
    pub fn of(segments: Vec<Segment>) -> Result<Self, String> {
        for segment in &segments {
            if segment.duration.is_some_and(|duration| duration.is_zero())
                && !matches!(segment.shape, Shape::Burst { .. })
            {
                return Err("a stage lasts 0s: give it a duration such as 30s".to_owned());
            }
            let rates = match segment.shape {
                Shape::Line { from, to } => [from, to],
                Shape::Sine { low, high, .. } => [low, high],
                Shape::Burst { count } => [count, count],
            };
            if let Some(rate) = rates.into_iter().find(|rate| !(rate.is_finite() && *rate >= 0.0)) {
                return Err(format!("a stage's rate is {rate}: expected 0 or more per second"));
            }
        }
        let schedule = Self::build(segments);
        if schedule.total() == Some(0) {
            return Err("the stages add up to less than one request: raise a rate or a duration".to_owned());
        }
        Ok(schedule)
    }

    /// The same with every rate and burst times `rate` and every length of time times `time`.
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
        // A billionth forgives rounding: 0.1/s for 10 s is one arrival.
        self.end.0.is_finite().then(|| (self.end.0 + 1e-9).floor() as u64)
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

    /// Λ⁻¹: nanoseconds from the start at which `position` arrivals have come; at most the schedule's end.
    #[must_use]
    pub fn due_nanos(&self, position: f64) -> u64 {
        // The last segment that begins at or before the position: one without arrivals is passed over.
        let after = self.segments.partition_point(|&(_, count, _)| count <= position);
        let (segment, count, time) = self.segments[after.saturating_sub(1)];
        ((time + segment.time(position - count)) * 1e9).round() as u64
    }

    /// Λ: arrivals due within the first `seconds`.
    #[must_use]
    pub fn count_by(&self, seconds: f64) -> f64 {
        // Due times are whole nanoseconds: what begins within half a one begins now, however the sum was rounded.
        let begun = self.segments.iter().filter(|(_, _, start)| *start <= seconds + 5e-10);
        begun.map(|(segment, _, start)| segment.count((seconds - start).clamp(0.0, segment.seconds()))).sum()
    }

    /// The planned rate at `seconds` from the start, per second; 0 after the end.
    #[must_use]
    pub fn rate_at(&self, seconds: f64) -> f64 {
        let current = self.segments.iter().find(|(segment, _, start)| seconds < start + segment.seconds());
        current.map_or(0.0, |(segment, _, start)| segment.rate((seconds - start).max(0.0)))
    }

    /// The rate, when it is one and the same throughout.
    #[must_use]
    pub fn constant_rate(&self) -> Option<f64> {
        match self.segments[..] {
            [(Segment { shape: Shape::Line { from, to }, .. }, ..)] if from == to => Some(from),
            _ => None,
        }
    }

    /// The least rate of any segment, per second; bursts aside.
    #[must_use]
    pub fn least(&self) -> f64 {
        let timed =
            self.segments.iter().filter(|(segment, ..)| !matches!(segment.shape, Shape::Burst { .. }));
        let least = timed.map(|(segment, ..)| segment.least()).fold(f64::INFINITY, f64::min);
        if least.is_finite() { least } else { 0.0 }
    }

    /// The highest rate of any segment, per second; bursts aside.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.segments.iter().map(|(segment, ..)| segment.peak()).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(per_second: f64) -> Rate {
        Rate::new(per_second).unwrap()
    }

    fn seconds(count: f64) -> Duration {
        Duration::from_secs_f64(count)
    }

    #[test]
    fn closed_forms() {
        let constant = Schedule::constant(rate(40.0), None);
        let up = Schedule::ramps(0.0, &[(seconds(10.0), 100.0)]).unwrap();
        let down = Schedule::ramps(100.0, &[(seconds(10.0), 0.0)]).unwrap();
        let two = Schedule::ramps(10.0, &[(seconds(1.25), 10.0), (seconds(1.0), 20.0)]).unwrap();
        for (name, schedule, k, due) in [
            ("constant", &constant, 0.0, 0.0),
            ("constant", &constant, 1.0, 0.025),
            ("constant", &constant, 4e9, 1e8),
            ("up", &up, 0.0, 0.0),
            ("up", &up, 5.0, 1.0),
            ("up", &up, 125.0, 5.0),
            ("down", &down, 375.0, 5.0),
            ("down", &down, 500.0, 10.0),
            // Half an arrival is left after 1.25 s at 10/s; the ramp brings the other half.
            ("two", &two, 12.0, 1.2),
            ("two", &two, 13.0, 1.25 + 2.0 * 0.5 / (10.0 + (100.0_f64 + 2.0 * 10.0 * 0.5).sqrt())),
        ] {
            assert_eq!(schedule.due_nanos(k), (due * 1e9).round() as u64, "{name} {k}");
        }
        assert_eq!((up.total(), down.total(), two.total()), (Some(500), Some(500), Some(27)));
        assert_eq!((constant.total(), constant.duration()), (None, None));
        assert_eq!((up.rate_at(5.0), up.rate_at(10.0), constant.rate_at(1e6)), (50.0, 0.0, 40.0));
    }

    #[test]
    fn a_pause_between_stages_is_passed_over() {
        let plan = Schedule::ramps(
            2.0,
            &[
                (seconds(1.0), 2.0),
                (seconds(0.001), 0.0),
                (seconds(9.999), 0.0),
                (seconds(0.001), 2.0),
                (seconds(1.0), 2.0),
            ],
        )
        .unwrap();
        assert_eq!(plan.due_nanos(1.0), 500_000_000);
        let late = plan.due_nanos(3.0) as f64 / 1e9;
        assert!((11.4..11.6).contains(&late), "{late}");
    }

    #[test]
    fn a_burst_shares_one_instant_and_nothing_is_lost_around_it() {
        let line = |length, rate| Segment {
            duration: Some(seconds(length)),
            shape: Shape::Line { from: rate, to: rate },
        };
        let burst = Segment { duration: Some(Duration::ZERO), shape: Shape::Burst { count: 100.0 } };
        // 2.5 arrivals, 100 at once, then half an arrival is still owed: the next comes after 0.05 s.
        let plan = Schedule::of(vec![line(0.25, 10.0), burst, line(1.0, 10.0)]).unwrap();
        assert_eq!(plan.total(), Some(112));
        let dues: Vec<u64> = (0..112).map(|k| plan.due_nanos(f64::from(k))).collect();
        assert_eq!(dues[..4], [0, 100_000_000, 200_000_000, 250_000_000]);
        assert_eq!(dues.iter().filter(|&&due| due == 250_000_000).count(), 100);
        assert_eq!(dues[103], 300_000_000);
        assert_eq!((plan.rate_at(0.25), plan.peak()), (10.0, 10.0));
        assert_eq!([plan.count_by(0.2), plan.count_by(0.25)], [2.0, 102.5]);
        let alone = Schedule::of(vec![burst]).unwrap();
        assert_eq!(
            (alone.total(), alone.duration(), alone.due_nanos(99.0)),
            (Some(100), Some(Duration::ZERO), 0)
        );
    }

    #[test]
    fn scaling_keeps_the_shape() {
        let wave = Shape::Sine { low: 5.0, high: 15.0, period: 10.0 };
        let plan = Schedule::of(vec![Segment { duration: Some(seconds(20.0)), shape: wave }]).unwrap();
        let scaled = plan.scaled(2.0, 0.5);
        assert_eq!((plan.total(), scaled.total(), scaled.peak()), (Some(200), Some(200), 30.0));
        assert_eq!(scaled.duration(), Some(seconds(10.0)));
        assert_eq!(scaled.rate_at(2.5), 2.0 * plan.rate_at(5.0));
    }

    #[test]
    fn what_sends_nothing_is_refused() {
        assert!(Schedule::ramps(0.0, &[]).is_err());
        assert!(Schedule::ramps(0.0, &[(seconds(10.0), 0.0)]).is_err());
        assert!(Schedule::ramps(5.0, &[(seconds(0.0), 1.0)]).is_err());
        assert!(Schedule::ramps(5.0, &[(seconds(1.0), f64::NAN)]).is_err());
    }

    proptest! {
        #[test]
        fn due_times_rise_and_invert_the_integral(segments in prop::collection::vec(segment(), 1..6)) {
            let bursts: f64 = segments.iter().map(|segment| match segment.shape {
                Shape::Burst { count } => count,
                _ => 0.0,
            }).sum();
            let Ok(schedule) = Schedule::of(segments) else { return Ok(()) };
            let end = schedule.duration().unwrap().as_secs_f64();
            let total = schedule.total().unwrap();
            prop_assert!((schedule.count_by(end) - schedule.integral()).abs() < 1e-5);
            prop_assert_eq!(total, (schedule.integral() + 1e-9).floor() as u64);
            let mut last = 0;
            for k in 0..total {
                let due = schedule.due_nanos(k as f64);
                prop_assert!(due >= last, "arrival {} is due before its elder", k);
                last = due;
                let seconds = due as f64 / 1e9;
                prop_assert!(seconds <= end + 1e-9);
                // A nanosecond of rounding moves Λ by at most rate × 1 ns; a burst holds all of its arrivals at once.
                let by = schedule.count_by(seconds + 1e-9) - k as f64;
                prop_assert!((-1e-5..bursts + 1e-5).contains(&by), "{by}");
            }
        }
    }

    fn segment() -> impl Strategy<Value = Segment> {
        let line = (0.1_f64..20.0, 0.0_f64..500.0, 0.0_f64..500.0).prop_map(|(length, from, to)| Segment {
            duration: Some(seconds(length)),
            shape: Shape::Line { from, to },
        });
        let flat = (0.1_f64..20.0, 0.0_f64..500.0).prop_map(|(length, rate)| Segment {
            duration: Some(seconds(length)),
            shape: Shape::Line { from: rate, to: rate },
        });
        let sine = (0.1_f64..20.0, 0.0_f64..200.0, 0.1_f64..300.0, 0.5_f64..30.0).prop_map(
            |(length, low, over, period)| Segment {
                duration: Some(seconds(length)),
                shape: Shape::Sine { low, high: low + over, period },
            },
        );
        let burst = (1_u32..300).prop_map(|count| Segment {
            duration: Some(Duration::ZERO),
            shape: Shape::Burst { count: f64::from(count) },
        });
        prop_oneof![line, flat, sine, burst]
    }
}
