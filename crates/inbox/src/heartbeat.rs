//! The heartbeat: an always-firing alert that is delivered repeatedly. When it stops, no other notification would
//! arrive either, so the inbox itself reports it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// No heartbeat arrived within the limit.
    Stopped,
    /// Heartbeats arrive again.
    Resumed,
}

/// The state that is saved for a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Time of the last heartbeat.
    pub last: Timestamp,
    /// Whether the stop has been reported.
    pub stopped: bool,
}

/// Monitors the heartbeat. The time is passed in.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    limit: Duration,
    last: Option<Timestamp>,
    stopped: bool,
    /// Start of this inbox; earlier heartbeats were missed.
    listening: Timestamp,
}

impl Heartbeat {
    /// Monitors from `now` on. A heartbeat that was never received, in this run or an earlier one, does not count as
    /// stopped.
    #[must_use]
    pub fn new(limit: Duration, kept: Option<Kept>, now: Timestamp) -> Self {
        let (last, stopped) = (kept.map(|kept| kept.last), kept.is_some_and(|kept| kept.stopped));
        Self { limit, last, stopped, listening: now }
    }

    /// The state to save for a restart; none before the first heartbeat.
    #[must_use]
    pub fn kept(&self) -> Option<Kept> {
        self.last.map(|last| Kept { last, stopped: self.stopped })
    }

    /// Records a heartbeat.
    pub fn beat(&mut self, now: Timestamp) -> Option<Change> {
        self.last = Some(now);
        std::mem::take(&mut self.stopped).then_some(Change::Resumed)
    }

    /// Checks whether the heartbeat has stopped.
    pub fn look(&mut self, now: Timestamp) -> Option<Change> {
        let last = self.last?.max(self.listening);
        let missed = !self.stopped && now.duration_since(last).as_secs_f64() > self.limit.as_secs_f64();
        self.stopped |= missed;
        missed.then_some(Change::Stopped)
    }

    /// Time without a heartbeat after which it counts as stopped.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Time of the last heartbeat.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// Whether heartbeats arrive.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.last.is_some() && !self.stopped
    }

    /// `unknown` before the first heartbeat, `beating` or `stopped`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match (self.last, self.stopped) {
            (None, _) => "unknown",
            (_, false) => "beating",
            (_, true) => "stopped",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_a_stop_once_and_the_recovery_once() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let mut heartbeat = Heartbeat::new(Duration::from_secs(15), None, at(0));
        assert_eq!((heartbeat.look(at(900)), heartbeat.state()), (None, "unknown"));
        assert_eq!((heartbeat.beat(at(1_000)), heartbeat.state()), (None, "beating"));
        assert_eq!(heartbeat.look(at(1_015)), None);
        assert_eq!((heartbeat.look(at(1_016)), heartbeat.state()), (Some(Change::Stopped), "stopped"));
        assert_eq!(heartbeat.look(at(1_017)), None);
        assert_eq!((heartbeat.beat(at(1_030)), heartbeat.state()), (Some(Change::Resumed), "beating"));
        assert_eq!(heartbeat.beat(at(1_031)), None);
    }

    #[test]
    fn restart_keeps_the_state_and_restarts_the_limit() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let limit = Duration::from_secs(15);
        let again = |kept| Heartbeat::new(limit, kept, at(5_000));
        assert_eq!((Heartbeat::new(limit, None, at(0)).kept(), again(None).state()), (None, "unknown"));

        let mut heartbeat = Heartbeat::new(limit, None, at(0));
        heartbeat.beat(at(1_000));
        let mut beating = again(heartbeat.kept());
        assert_eq!((beating.state(), beating.last()), ("beating", Some(at(1_000))));
        assert_eq!((beating.look(at(5_015)), beating.look(at(5_016))), (None, Some(Change::Stopped)));

        heartbeat.look(at(1_016));
        let mut stopped = again(heartbeat.kept());
        assert_eq!(
            (stopped.state(), stopped.look(at(5_100))),
            ("stopped", None),
            "the stop is reported only once"
        );
        assert_eq!(stopped.beat(at(5_101)), Some(Change::Resumed));
    }
}
