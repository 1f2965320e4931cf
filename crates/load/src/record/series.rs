//! The seconds of a run, to be looked at by somebody who does not hold the run: while it goes on, and after it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::record::collector::Gathered;
use crate::record::counters::Tally;
use crate::record::run::Row;

/// A view of a run; clones see the same run. It keeps the run's histograms in memory.
#[derive(Debug, Clone)]
pub struct Series {
    pub(crate) started: Timestamp,
    pub(crate) gathered: Arc<Mutex<Gathered>>,
    pub(crate) tallies: Arc<[Tally]>,
}

impl Series {
    /// When the run began.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// How much of the schedule was played; `None` while it is.
    #[must_use]
    pub fn played(&self) -> Option<Duration> {
        let nanos = self.tallies.iter().map(|tally| tally.span_nanos.get()).max().unwrap_or_default();
        (nanos > 0).then(|| Duration::from_nanos(nanos))
    }

    /// The rows so far and how many seconds each stands for; of a run that has ended, all.
    #[must_use]
    pub fn rows(&self) -> (Vec<Row>, u32) {
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        (gathered.rows.iter().copied().collect(), gathered.step)
    }
}
