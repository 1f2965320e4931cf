//! The heartbeat: an alert that always fires, delivered again and again. When it stops, nothing else would arrive
//! either, so the inbox itself says so.

use std::time::Duration;

use jiff::Timestamp;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It has not come for as long as it may take.
    Stopped,
    /// It is there again.
    Resumed,
}

/// The watch over it; time is an argument.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    limit: Duration,
    last: Option<Timestamp>,
    stopped: bool,
}

impl Heartbeat {
    /// A watch that misses the beat after `limit`; before the first one it misses nothing.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit, last: None, stopped: false }
    }

    /// A beat has come.
    pub fn beat(&mut self, now: Timestamp) -> Option<Change> {
        self.last = Some(now);
        std::mem::take(&mut self.stopped).then_some(Change::Resumed)
    }

    /// Time has passed.
    pub fn look(&mut self, now: Timestamp) -> Option<Change> {
        let last = self.last?;
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
        let mut heartbeat = Heartbeat::new(Duration::from_secs(15));
        assert_eq!((heartbeat.look(at(900)), heartbeat.state()), (None, "unknown"));
        assert_eq!((heartbeat.beat(at(1_000)), heartbeat.state()), (None, "beating"));
        assert_eq!(heartbeat.look(at(1_015)), None);
        assert_eq!((heartbeat.look(at(1_016)), heartbeat.state()), (Some(Change::Stopped), "stopped"));
        assert_eq!(heartbeat.look(at(1_017)), None);
        assert_eq!((heartbeat.beat(at(1_030)), heartbeat.state()), (Some(Change::Resumed), "beating"));
        assert_eq!(heartbeat.beat(at(1_031)), None);
    }
}
