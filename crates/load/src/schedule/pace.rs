//! When requests are sent: on a schedule (open loop), or after each response (closed loop).

use std::time::Duration;

use crate::schedule::arrivals::Spacing;
use crate::schedule::due_times::Schedule;
use common::rate::Rate;

/// When requests are sent.
#[derive(Debug, Clone)]
pub enum Pace {
    /// On a fixed schedule, whatever the target does.
    Open {
        /// The rate over time.
        schedule: Schedule,
        /// Maximum number of arrivals.
        limit: Option<u64>,
        /// Even or Poisson.
        spacing: Spacing,
    },
    /// Each connection sends its next request after its response.
    Closed {
        /// Maximum number of requests.
        limit: Option<u64>,
        /// Duration.
        duration: Option<Duration>,
    },
}

impl Pace {
    /// When the run ends, if that is known in advance.
    #[must_use]
    pub fn planned_end(&self) -> Option<Duration> {
        match self {
            Self::Closed { duration, .. } => *duration,
            Self::Open { schedule, limit, .. } => {
                let by_count = limit
                    .filter(|&limit| limit as f64 <= schedule.integral())
                    .map(|limit| Duration::from_nanos(schedule.due_nanos(limit as f64)));
                by_count.or(schedule.duration())
            }
        }
    }

    /// Whether it always lasts until [`Self::planned_end`]. A closed loop may send its count earlier, and Poisson
    /// arrivals may reach it earlier or later.
    #[must_use]
    pub fn keeps_to_its_end(&self) -> bool {
        match self {
            Self::Open { spacing, limit, .. } => *spacing == Spacing::Even || limit.is_none(),
            Self::Closed { .. } => false,
        }
    }

    /// Planned arrivals per second in the `step` seconds from `second`; `None` in a closed loop.
    #[must_use]
    pub fn planned_rate(&self, second: u32, step: u32) -> Option<f64> {
        let Self::Open { schedule, limit, .. } = self else { return None };
        let by =
            |second: f64| schedule.count_by(second).min(limit.map_or(f64::INFINITY, |limit| limit as f64));
        // Arrivals due exactly at the end belong to the last second before it.
        let (from, to) = (f64::from(second), f64::from(second) + f64::from(step));
        let end = self.planned_end().map_or(f64::INFINITY, |end| end.as_secs_f64());
        let until = if to >= end { by(to) } else { by(to - 1e-9) };
        let before = if second == 0 { 0.0 } else { by(from - 1e-9) };
        Some((until - before).max(0.0) / f64::from(step.max(1)))
    }

    /// The pace of a warm-up of length `time`: the initial rate, or the mean rate if the initial rate is 0.
    #[must_use]
    pub fn warm_up(&self, time: Duration) -> Self {
        let Self::Open { schedule, spacing, .. } = self else {
            return Self::Closed { limit: None, duration: Some(time) };
        };
        let mean =
            || schedule.integral() / schedule.duration().map_or(1.0, |length| length.as_secs_f64().max(1.0));
        let rates = [schedule.rate_at(0.0), mean()];
        let rate = rates.into_iter().find_map(|rate| Rate::new(rate).ok());
        let schedule = rate.map_or_else(|| schedule.clone(), |rate| Schedule::constant(rate, Some(time)));
        Self::Open { schedule, limit: None, spacing: *spacing }
    }

    /// Planned arrivals per second, averaged over the first `span`; `None` in a closed loop and for a schedule of
    /// bursts only.
    #[must_use]
    pub fn target_rate(&self, span: Duration) -> Option<f64> {
        match self {
            Self::Open { schedule, .. } if !span.is_zero() => {
                Some(schedule.count_by(span.as_secs_f64()) / span.as_secs_f64())
            }
            Self::Open { schedule, .. } if schedule.duration().is_some_and(|time| time.is_zero()) => None,
            Self::Open { schedule, .. } => Some(schedule.rate_at(0.0)),
            Self::Closed { .. } => None,
        }
    }
}
