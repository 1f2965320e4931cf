//! One line a drill while it runs: redrawn in place on a terminal, else a line per change of phase.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::clock::{readable, seconds, time_of_day};
use super::record::{Record, Stage};
use crate::say;

/// Columns of a line that is redrawn: a longer one would wrap and could not be taken back.
const COLUMNS: usize = 79;

/// Shows where the drills are, on standard error.
#[derive(Debug)]
pub struct Progress {
    terminal: bool,
    /// The stage last shown of each drill.
    shown: Mutex<BTreeMap<String, Stage>>,
}

impl Progress {
    /// `several`: drills run side by side, so that no line can be redrawn in place.
    #[must_use]
    pub fn new(several: bool) -> Self {
        Self { terminal: !several && std::io::stderr().is_terminal(), shown: Mutex::default() }
    }

    /// Shows the record's present stage.
    pub fn show(&self, record: &Record) {
        let now = Timestamp::now();
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if self.terminal {
            say::aside(&format!("\r\x1b[2K{}", live(record, now)));
        } else if shown.get(&record.drill) != Some(&record.stage) {
            say::aside(&format!("{}\n", plain(record, now)));
        }
        shown.insert(record.drill.clone(), record.stage);
    }

    /// Ends the record's line with its verdict.
    pub fn finish(&self, record: &Record) {
        let Some(judgement) = &record.judgement else { return };
        let line = format!("{}: {}, {}", record.drill, judgement.verdict.name(), judgement.reason);
        let start = if self.terminal {
            "\r\x1b[2K".to_owned()
        } else {
            format!("{}  ", time_of_day(Timestamp::now()))
        };
        say::aside(&format!("{start}{line}\n"));
    }
}

/// `high-error-rate: firing 3.2 s of 6.0 s`.
fn live(record: &Record, now: Timestamp) -> String {
    let elapsed = readable(seconds(record.stage_since, now).max(0.0));
    let bound = record.stage_bound().map_or_else(String::new, |bound| format!(" of {}", readable(bound)));
    let waiting = record.waiting.as_ref().map_or_else(String::new, |waiting| format!(", waiting: {waiting}"));
    let line = format!("{}: {} {elapsed}{bound}{waiting}", record.drill, record.stage.name());
    line.chars().take(COLUMNS).collect()
}

/// `12:01:04  high-error-rate: firing, at most 6.0 s (pending took 9.1 s of 11.4 s)`.
fn plain(record: &Record, now: Timestamp) -> String {
    let bound =
        record.stage_bound().map_or_else(String::new, |bound| format!(", at most {}", readable(bound)));
    let phases = record.phases().named();
    let before = phases.iter().take_while(|(name, _)| *name != record.stage.name()).last();
    let took = before.filter(|_| record.stage > Stage::Pending).and_then(|(name, phase)| {
        let (took, bound) = (phase.seconds?, phase.bound_seconds?);
        Some(format!(" ({name} took {} of {})", readable(took), readable(bound)))
    });
    let took = took.unwrap_or_default();
    format!("{}  {}: {}{bound}{took}", time_of_day(now), record.drill, record.stage.name())
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::{at, record};
    use super::*;

    #[test]
    fn lines_name_phase_elapsed_and_bound() {
        let mut record = record();
        record.enter(Stage::Firing, at(9.0));
        assert_eq!(live(&record, at(12.2)), "high-error-rate: firing 3.2 s of 6.0 s");
        assert_eq!(
            plain(&record, at(10.0)),
            "08:00:10  high-error-rate: firing, at most 6.0 s (pending took 9.0 s of 11.4 s)"
        );
        record.enter(Stage::Preflight, at(0.0));
        record.waiting = Some("x".repeat(200));
        assert_eq!(plain(&record, at(1.0)), "08:00:01  high-error-rate: preflight");
        assert_eq!(live(&record, at(1.0)).len(), COLUMNS);
    }
}
