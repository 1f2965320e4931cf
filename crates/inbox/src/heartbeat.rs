//! The heartbeat: an alert that always fires, delivered again and again. When it stops, nothing else would arrive
//! either, so the inbox itself says so.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It has not come for as long as it may take.
    Stopped,
    /// It is there again.
    Resumed,
}

/// What is kept of it over a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The last beat.
    pub last: Timestamp,
    /// Whether it was told that it has stopped.
    pub stopped: bool,
}

/// The watch over it; time is an argument.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    limit: Duration,
    last: Option<Timestamp>,
    stopped: bool,
    /// Since when it would have been heard: nobody listened before.
    listening: Timestamp,
}

impl Heartbeat {
    /// A watch from `now` on that misses the beat after `limit`; before the first one, of this start or an earlier one, it
    /// misses nothing.
    #[must_use]
    pub fn new(limit: Duration, kept: Option<Kept>, now: Timestamp) -> Self {
        let (last, stopped) = (kept.map(|kept| kept.last), kept.is_some_and(|kept| kept.stopped));
        Self { limit, last, stopped, listening: now }
    }

    /// What to keep over a restart; nothing before the first beat.
    #[must_use]
    pub fn kept(&self) -> Option<Kept> {
        self.last.map(|last| Kept { last, stopped: self.stopped })
    }

    /// A beat has come.
    pub fn beat(&mut self, now: Timestamp) -> Option<Change> {
        self.last = Some(now);
        std::mem::take(&mut self.stopped).then_some(Change::Resumed)
    }

    /// Time has passed.
    pub fn look(&mut self, now: Timestamp) -> Option<Change> {
        let last = self.last?.max(self.listening);
        let missed = !self.stopped && now.duration_since(last).as_secs_f64() > self.limit.as_secs_f64();
        self.stopped |= missed;
        missed.then_some(Change::Stopped)
    }

    /// How long it may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// The last one.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// Whether it comes: there was a beat, and none has been missed since.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.last.is_some() && !self.stopped
    }

    /// `unknown` before the first beat, `beating` or `stopped`.
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
    fn a_missed_beat_is_told_once_and_the_next_one_ends_it() {
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
    fn a_restart_neither_forgets_nor_blames_what_nobody_could_hear() {
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
        assert_eq!((stopped.state(), stopped.look(at(5_100))), ("stopped", None), "that was told already");
        assert_eq!(stopped.beat(at(5_101)), Some(Change::Resumed));
    }
}
