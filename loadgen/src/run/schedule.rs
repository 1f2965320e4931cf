//! The planned rate over time, and its inverse: arrival k is due at Λ⁻¹(k), Λ being the rate's integral.
//!
//! Within a stage the rate is a straight line from r0 with slope s, so that m arrivals into it the time is
//! 2m/(r0 + √(r0² + 2sm)); for a constant rate that is m/r0. Stages share one Λ, so a fraction of an arrival left
//! at the end of a stage carries into the next.

use std::time::Duration;

use crate::rate::Rate;

/// A stretch of time whose rate goes in a straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// How long; endless only as the last and with `from == to`.
    pub duration: Option<Duration>,
    /// Arrivals per second at its start, 0 or more.
    pub from: f64,
    /// Arrivals per second at its end, 0 or more.
    pub to: f64,
}

impl Stage {
    fn seconds(&self) -> f64 {
        self.duration.map_or(f64::INFINITY, |duration| duration.as_secs_f64())
    }

    /// Arrivals within the first `seconds` of the stage.
    fn count(&self, seconds: f64) -> f64 {
        if self.from == self.to {
            return if self.from == 0.0 { 0.0 } else { self.from * seconds };
        }
        let slope = (self.to - self.from) / self.seconds();
        self.from * seconds + slope * seconds * seconds / 2.0
    }

    /// Seconds into the stage at which `count` arrivals have come.
    fn time(&self, count: f64) -> f64 {
        if count <= 0.0 {
            return 0.0;
        }
        if self.from == self.to {
            return count / self.from;
        }
        let slope = (self.to - self.from) / self.seconds();
        let root = (self.from * self.from + 2.0 * slope * count).max(0.0).sqrt();
        (2.0 * count / (self.from + root)).min(self.seconds())
    }
}

/// Stages one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Each with Λ and the time, in seconds, at its start.
    stages: Vec<(Stage, f64, f64)>,
    /// Λ and the time at the end.
    end: (f64, f64),
}

impl Schedule {
    /// A constant rate, for `duration` or without end.
    #[must_use]
    pub fn constant(rate: Rate, duration: Option<Duration>) -> Self {
        Self::build(vec![Stage { duration, from: rate.per_second(), to: rate.per_second() }])
    }

    /// Ramps: each pair is a duration and the rate per second at its end; the first starts from `from` per second.
    ///
    /// # Errors
    /// When there is no stage, one lasts no time, a rate is not a number of 0 or more, or nothing would ever be sent.
    pub fn ramps(from: f64, stages: &[(Duration, f64)]) -> Result<Self, String> {
        let mut from = from;
        let mut built = Vec::with_capacity(stages.len());
        for &(duration, to) in stages {
            if duration.is_zero() {
                return Err("a stage lasts 0s: give it a duration such as 30s".to_owned());
            }
            if !(to.is_finite() && to >= 0.0) {
                return Err(format!("a stage's rate is {to}: expected 0 or more per second"));
            }
            built.push(Stage { duration: Some(duration), from, to });
            from = to;
        }
        let schedule = Self::build(built);
        if schedule.total() == Some(0) {
            return Err("the stages add up to less than one request: raise a rate or a duration".to_owned());
        }
        Ok(schedule)
    }

    fn build(stages: Vec<Stage>) -> Self {
        let mut end = (0.0, 0.0);
        let stages = stages
            .into_iter()
            .map(|stage| {
                let start = end;
                end = (start.0 + stage.count(stage.seconds()), start.1 + stage.seconds());
                (stage, start.0, start.1)
            })
            .collect();
        Self { stages, end }
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
        // The last stage that begins at or before the position: a stage without arrivals is passed over.
        let after = self.stages.partition_point(|&(_, count, _)| count <= position);
        let (stage, count, time) = self.stages[after.saturating_sub(1)];
        ((time + stage.time(position - count)) * 1e9).round() as u64
    }

    /// Λ: arrivals due within the first `seconds`.
    #[must_use]
    pub fn count_by(&self, seconds: f64) -> f64 {
        self.stages
            .iter()
            .map(|(stage, _, start)| stage.count((seconds - start).clamp(0.0, stage.seconds())))
            .sum()
    }

    /// The planned rate at `seconds` from the start, per second; 0 after the end.
    #[must_use]
    pub fn rate_at(&self, seconds: f64) -> f64 {
        let current = self.stages.iter().find(|(stage, _, start)| seconds < start + stage.seconds());
        current.map_or(0.0, |(stage, _, start)| {
            if stage.from == stage.to {
                return stage.from;
            }
            stage.from + (stage.to - stage.from) * ((seconds - start) / stage.seconds()).max(0.0)
        })
    }

    /// The highest rate of any stage, per second.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.stages.iter().map(|(stage, ..)| stage.from.max(stage.to)).fold(0.0, f64::max)
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
    fn what_sends_nothing_is_refused() {
        assert!(Schedule::ramps(0.0, &[]).is_err());
        assert!(Schedule::ramps(0.0, &[(seconds(10.0), 0.0)]).is_err());
        assert!(Schedule::ramps(5.0, &[(seconds(0.0), 1.0)]).is_err());
        assert!(Schedule::ramps(5.0, &[(seconds(1.0), f64::NAN)]).is_err());
    }

    proptest! {
        #[test]
        fn due_times_rise_and_invert_the_integral(
            from in 0.0_f64..500.0,
            stages in prop::collection::vec((0.1_f64..20.0, 0.0_f64..500.0), 1..5),
        ) {
            let stages: Vec<_> = stages.into_iter().map(|(length, to)| (seconds(length), to)).collect();
            let Ok(schedule) = Schedule::ramps(from, &stages) else { return Ok(()) };
            let end = schedule.duration().unwrap().as_secs_f64();
            let total = schedule.total().unwrap();
            prop_assert_eq!(total, (schedule.count_by(end) + 1e-9).floor() as u64);
            let mut last = 0;
            for k in 0..total {
                let due = schedule.due_nanos(k as f64);
                prop_assert!(due >= last, "arrival {} is due before its elder", k);
                last = due;
                let seconds = due as f64 / 1e9;
                prop_assert!(seconds <= end + 1e-9);
                // A nanosecond of rounding moves Λ by at most rate × 1 ns.
                prop_assert!((schedule.count_by(seconds) - k as f64).abs() < 1e-5);
            }
        }
    }
}
