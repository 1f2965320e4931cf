//! The log of one drill: events are appended and never taken back. It outlives the run, so that an interrupted drill still
//! has its partial results.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::file::drill::Drill;
use crate::record::case::Case;
use crate::record::event::{Event, Moment};
use crate::record::stage::Stage;

/// What has happened so far; clones append to the same log.
///
/// An event is folded into the [`Case`] as it is appended and is not kept: a drill may watch for hours, looking several
/// times a second, and neither its memory nor the cost of reading it may grow with the number of looks.
#[derive(Debug, Clone)]
pub struct Log(Arc<Mutex<Case>>);

impl Log {
    /// Of a drill that is about to begin on a stack whose durations are divided by `scale`.
    #[must_use]
    pub fn new(drill: &Drill, scale: f64) -> Self {
        Self(Arc::new(Mutex::new(Case::new(drill, scale))))
    }

    /// Writes down what happened: the only way to do so.
    pub fn append(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(event);
    }

    /// Writes down that the run goes on to `stage`, which began at `since`.
    pub fn enter(&self, stage: Stage, since: Timestamp) {
        self.append(Event::Entered(stage, since));
    }

    /// Writes down what is waited for.
    pub fn waiting(&self, what: &str) {
        self.append(Event::Waiting(Some(what.to_owned())));
    }

    /// Writes something on the timeline.
    pub fn note(&self, at: Timestamp, what: impl Into<String>) {
        self.append(Event::Noted(Moment { at, what: what.into() }));
    }

    /// Writes down what could not be undone.
    pub fn not_undone(&self, failed: Vec<String>) {
        failed.into_iter().for_each(|what| {
            self.note(Timestamp::now(), what.clone());
            self.append(Event::NotUndone(what));
        });
    }

    /// Writes down whether a question of this kind was answered, and gives the answer.
    pub fn asked<T, E: ToString>(&self, kind: &'static str, answer: Result<T, E>) -> Option<T> {
        self.append(Event::Asked(kind, answer.as_ref().err().map(E::to_string)));
        answer.ok()
    }

    /// What the drill has come to.
    #[must_use]
    pub fn case(&self) -> Case {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_looks_leaves_counts_and_the_latest_only() {
        let log = Log(Arc::default());
        let clone = log.clone();
        for look in 0..86_400_u32 {
            let answer = if look % 4 == 3 { Err("connection refused") } else { Ok(look) };
            assert_eq!(clone.asked("rules", answer), answer.ok());
            log.waiting("the alert to resolve");
        }
        let case = log.case();
        assert_eq!((case.gaps.asked, case.gaps.failed), (86_400, 21_600));
        assert_eq!(case.gaps.last_error.as_deref(), Some("connection refused"));
        assert_eq!(case.waiting.as_deref(), Some("the alert to resolve"));
        assert_eq!(case.moments, []);
    }

    #[test]
    fn the_same_moment_is_noted_once() {
        let log = Log(Arc::default());
        let at = Timestamp::UNIX_EPOCH;
        for what in ["scraped", "scraped", "evaluated"] {
            log.note(at, what);
        }
        let moment = |what: &str| Moment { at, what: what.to_owned() };
        assert_eq!(log.case().moments, [moment("scraped"), moment("evaluated")]);
    }
}
