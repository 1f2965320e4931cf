//! The log of one drill: appended to and never changed. It outlives the run, so that an interrupted drill still has its
//! partial results.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::file::drill::Drill;
use crate::record::case::Case;
use crate::record::event::{Event, Moment};
use crate::record::stage::Stage;

/// What has happened so far; clones append to the same log.
#[derive(Debug, Clone)]
pub struct Log {
    begun: Case,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Log {
    /// Of a drill that is about to begin on a stack whose durations are divided by `scale`.
    #[must_use]
    pub fn new(drill: &Drill, scale: f64) -> Self {
        Self { begun: Case::new(drill, scale), events: Arc::default() }
    }

    /// Writes down what happened: the only way to do so.
    pub fn append(&self, event: Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
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
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().fold(self.begun.clone(), Case::with)
    }
}
