//! A shared view of the rows of a run, during and after the run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::record::collector::Gathered;
use crate::record::counters::Counters;
use crate::record::run::Row;

/// A view of a run. Clones share the data, which includes the run's histograms.
#[derive(Debug, Clone)]
pub struct Series {
    pub(crate) started: Timestamp,
    pub(crate) gathered: Arc<Mutex<Gathered>>,
    pub(crate) worker_counters: Arc<[Counters]>,
}

impl Series {
    /// Start time of the run.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// The part of the schedule that ran; `None` during the run.
    #[must_use]
    pub fn played(&self) -> Option<Duration> {
        let nanos =
            self.worker_counters.iter().map(|counters| counters.span_nanos.get()).max().unwrap_or_default();
        (nanos > 0).then(|| Duration::from_nanos(nanos))
    }

    /// The rows so far, and the seconds per row.
    #[must_use]
    pub fn rows(&self) -> (Vec<Row>, u32) {
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        (gathered.rows.iter().copied().collect(), gathered.step)
    }
}
