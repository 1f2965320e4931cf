//! The log of one drill. Events are appended and never removed. The log outlives the run, so that an interrupted drill
//! still has its partial results.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::file::drill::Drill;
use crate::record::case::Case;
use crate::record::event::{Event, Moment};
use crate::record::stage::Stage;

/// The log of one drill; clones append to the same log.
///
/// An event is folded into the [`Case`] when it is appended, and then dropped: a drill may poll several times a second for
/// hours, and neither its memory nor the cost of reading the log may grow with the number of polls.
#[derive(Debug, Clone)]
pub struct Log(Arc<Mutex<Case>>);

impl Log {
    /// An empty log of a drill on a stack whose durations are divided by `scale`.
    #[must_use]
    pub fn new(drill: &Drill, scale: f64) -> Self {
        Self(Arc::new(Mutex::new(Case::new(drill, scale))))
    }

    /// Appends an event. All other methods use this one.
    pub fn append(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(event);
    }

    /// Records that the drill entered `stage`, which began at `since`.
    pub fn enter(&self, stage: Stage, since: Timestamp) {
        self.append(Event::Entered(stage, since));
    }

    /// Records what is being waited for.
    pub fn waiting(&self, what: &str) {
        self.append(Event::Waiting(Some(what.to_owned())));
    }

    /// Adds an event to the timeline.
    pub fn note(&self, at: Timestamp, what: impl Into<String>) {
        self.append(Event::Noted(Moment { at, what: what.into() }));
    }

    /// Records what could not be undone.
    pub fn not_undone(&self, failed: Vec<String>) {
        failed.into_iter().for_each(|what| {
            self.note(Timestamp::now(), what.clone());
            self.append(Event::NotUndone(what));
        });
    }

    /// Records whether a query of this kind succeeded, and returns its result.
    pub fn queried<T, E: ToString>(&self, kind: &'static str, result: Result<T, E>) -> Option<T> {
        self.append(Event::Queried(kind, result.as_ref().err().map(E::to_string)));
        result.ok()
    }

    /// The current state of the drill.
    #[must_use]
    pub fn case(&self) -> Case {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_polls_leaves_only_counts_and_the_latest() {
        let log = Log(Arc::default());
        let clone = log.clone();
        for look in 0..86_400_u32 {
            let result = if look % 4 == 3 { Err("connection refused") } else { Ok(look) };
            assert_eq!(clone.queried("rules", result), result.ok());
            log.waiting("the alert to resolve");
        }
        let case = log.case();
        assert_eq!((case.gaps.queries, case.gaps.failed), (86_400, 21_600));
        assert_eq!(case.gaps.last_error.as_deref(), Some("connection refused"));
        assert_eq!(case.waiting.as_deref(), Some("the alert to resolve"));
        assert_eq!(case.moments, []);
    }

    #[test]
    fn notes_the_same_moment_once() {
        let log = Log(Arc::default());
        let at = Timestamp::UNIX_EPOCH;
        for what in ["scraped", "scraped", "evaluated"] {
            log.note(at, what);
        }
        let moment = |what: &str| Moment { at, what: what.to_owned() };
        assert_eq!(log.case().moments, [moment("scraped"), moment("evaluated")]);
    }
}
