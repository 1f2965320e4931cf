//! Progress of running drills: a live view on a terminal, one line per change of stage elsewhere.

pub mod board;

use crate::record::log::Log;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::progress::board::Board;
use crate::record::case::Case;
use crate::record::stage::Stage;
use crate::timing::clock::{readable, time_of_day};
use load::live::screen::Screen;

/// Redraw interval.
const REDRAW: Duration = Duration::from_millis(200);

/// Shows the progress on standard error.
#[derive(Debug)]
pub struct Progress {
    screen: Screen,
    board: Mutex<Board>,
}

impl Progress {
    /// The progress of `total` drills.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self { screen: Screen::new(false), board: Mutex::new(Board::new(total)) }
    }

    /// Shows the current stage of a drill.
    pub fn show(&self, record: &Case) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = board.update(record);
        if self.screen.is_live() {
            self.draw(&board);
        } else if changed {
            self.screen.say(&plain(record, Timestamp::now()));
        }
    }

    /// Shows the current stage of a log for as long as it is polled.
    pub async fn follow(&self, log: &Log) -> std::convert::Infallible {
        loop {
            self.show(&log.case());
            tokio::time::sleep(REDRAW).await;
        }
    }

    /// Shows the verdict of a finished drill.
    pub fn finish(&self, record: &Case) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.finish(record);
        let Some(judgement) = &record.judgement else { return };
        let line = format!("{}: {}, {}", record.drill, judgement.verdict.name(), judgement.reason);
        if self.screen.is_live() {
            self.screen.say(&line);
            self.draw(&board);
        } else {
            self.screen.say(&format!("{}  {line}", time_of_day(Timestamp::now())));
        }
    }

    fn draw(&self, board: &Board) {
        let (width, rows) = self.screen.size();
        self.screen.draw(&board.lines(Timestamp::now(), width, rows));
    }
}

/// `12:01:04  high-error-rate: firing, at most 6.0 s (pending took 9.1 s of 11.4 s)`.
fn plain(record: &Case, now: Timestamp) -> String {
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
    use super::*;
    use crate::report::table::tests::{at, record};

    #[test]
    fn plain_lines_name_phase_and_bound() {
        let mut record = record();
        (record.stage, record.stage_since) = (Stage::Firing, at(9.0));
        assert_eq!(
            plain(&record, at(10.0)),
            "08:00:10  high-error-rate: firing, at most 6.0 s (pending took 9.0 s of 11.4 s)"
        );
        (record.stage, record.stage_since) = (Stage::Preflight, at(0.0));
        assert_eq!(plain(&record, at(1.0)), "08:00:01  high-error-rate: preflight");
    }
}
