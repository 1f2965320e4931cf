//! The arrivals of one worker: every n-th arrival of the schedule, evenly spaced or Poisson.

use crate::schedule::due_times::Schedule;
use common::rng::Rng;

/// How arrivals are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// Exactly at Λ⁻¹(k).
    Even,
    /// At Λ⁻¹ of a Poisson process of rate one. The same seed gives the same arrivals.
    Poisson {
        /// Seed of the process.
        seed: u64,
    },
}

/// One arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The arrival's number from 0, counted over all workers.
    pub number: u64,
    /// When it is due, in nanoseconds from the start of the run.
    pub due: u64,
}

/// Arrivals `index`, `index + of`, `index + 2·of`, … of a schedule. Workers therefore need no coordination.
#[derive(Debug, Clone)]
pub struct Arrivals {
    schedule: Schedule,
    limit: u64,
    rng: Option<(Rng, f64)>,
    number: u64,
    index: u64,
    of: u64,
}

impl Arrivals {
    /// The share of worker `index` of `of`; `limit` bounds the arrivals of all workers together.
    #[must_use]
    pub fn new(schedule: &Schedule, spacing: Spacing, limit: Option<u64>, index: usize, of: usize) -> Self {
        let planned = match spacing {
            Spacing::Even => schedule.total(),
            Spacing::Poisson { .. } => None, // a Poisson process has no fixed count
        };
        let limit = planned.unwrap_or(u64::MAX).min(limit.unwrap_or(u64::MAX));
        let rng = match spacing {
            Spacing::Even => None,
            Spacing::Poisson { seed } => Some((Rng::new(seed), 0.0)),
        };
        Self { schedule: schedule.clone(), limit, rng, number: 0, index: index as u64, of: of as u64 }
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let Some((rng, position)) = &mut self.rng else {
            let number = self.number * self.of + self.index;
            self.number += 1;
            return (number < self.limit)
                .then(|| Arrival { number, due: self.schedule.due_nanos(number as f64) });
        };
        // Every worker generates the whole process and keeps its own share, so that one seed gives one sequence.
        loop {
            let number = self.number;
            *position += rng.exponential();
            if number >= self.limit || *position >= self.schedule.integral() {
                return None;
            }
            self.number += 1;
            if number % self.of == self.index {
                return Some(Arrival { number, due: self.schedule.due_nanos(*position) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::rate::Rate;
    use std::time::Duration;

    fn schedule(per_second: f64, seconds: u64) -> Schedule {
        Schedule::constant(Rate::new(per_second).unwrap(), Some(Duration::from_secs(seconds)))
    }

    fn of_workers(spacing: Spacing, limit: Option<u64>, workers: usize) -> Vec<Arrival> {
        let schedule = schedule(100.0, 10);
        let mut all: Vec<Arrival> =
            (0..workers).flat_map(|index| Arrivals::new(&schedule, spacing, limit, index, workers)).collect();
        all.sort_by_key(|arrival| arrival.number);
        all
    }

    #[test]
    fn workers_share_the_schedule_without_gaps_or_duplicates() {
        for spacing in [Spacing::Even, Spacing::Poisson { seed: 7 }] {
            let alone = of_workers(spacing, None, 1);
            assert!(alone.iter().enumerate().all(|(k, arrival)| arrival.number == k as u64));
            for workers in [2, 3, 5] {
                assert_eq!(of_workers(spacing, None, workers), alone, "{spacing:?} {workers}");
            }
        }
        assert_eq!(of_workers(Spacing::Even, None, 3).len(), 1_000);
        assert_eq!(of_workers(Spacing::Even, Some(17), 3).len(), 17);
        assert_eq!(of_workers(Spacing::Poisson { seed: 1 }, Some(17), 3).len(), 17);
    }

    #[test]
    fn poisson_has_the_right_rate_and_deviation() {
        let schedule = schedule(1_000.0, 100);
        let dues: Vec<u64> =
            Arrivals::new(&schedule, Spacing::Poisson { seed: 42 }, None, 0, 1).map(|a| a.due).collect();
        // 100,000 expected, standard deviation 316.
        assert!((98_500..=101_500).contains(&dues.len()), "{}", dues.len());
        let gaps: Vec<f64> = dues.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e6).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean - 1.0).abs() < 0.02, "mean gap {mean} ms");
        assert!(
            (variance.sqrt() / mean - 1.0).abs() < 0.03,
            "the standard deviation of an exponential distribution is its mean"
        );
    }
}
