//! Where the drills are while they run: a few lines that are redrawn on a terminal, else a line per change of phase.

pub mod board;

use crate::record::log::Log;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::progress::board::Board;
use crate::record::case::Case;
use crate::record::stage::Stage;
use crate::timing::clock::{readable, time_of_day};
use common::console;

/// Between two drawings that show nothing but the time.
const REDRAW: Duration = Duration::from_millis(200);

/// Shows where the drills are, on standard error.
#[derive(Debug)]
pub struct Progress {
    terminal: bool,
    shown: Mutex<Shown>,
}

#[derive(Debug)]
struct Shown {
    board: Board,
    /// Lines of it that stand on the terminal.
    lines: usize,
    drawn: Option<Instant>,
}

impl Progress {
    /// Of so many drills.
    #[must_use]
    pub fn new(total: usize) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let shown = Shown { board: Board::new(total), lines: 0, drawn: None };
        Self { terminal: !dumb && std::io::stderr().is_terminal(), shown: Mutex::new(shown) }
    }

    /// Shows the record's present stage.
    pub fn show(&self, record: &Case) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let news = shown.board.update(record);
        if self.terminal {
            if news || shown.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
                shown.draw("");
            }
        } else if news {
            console::aside(&format!("{}\n", plain(record, Timestamp::now())));
        }
    }

    /// Shows the log's present stage and time, for as long as this is polled.
    pub async fn follow(&self, log: &Log) -> std::convert::Infallible {
        loop {
            self.show(&log.case());
            tokio::time::sleep(REDRAW).await;
        }
    }

    /// Ends the record's line with its verdict.
    pub fn finish(&self, record: &Case) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.board.finish(record);
        let Some(judgement) = &record.judgement else { return };
        let line = format!("{}: {}, {}\n", record.drill, judgement.verdict.name(), judgement.reason);
        if self.terminal {
            shown.draw(&line);
        } else {
            console::aside(&format!("{}  {line}", time_of_day(Timestamp::now())));
        }
    }
}

impl Shown {
    /// Draws the board in place of the last one, below something that stays.
    fn draw(&mut self, stays: &str) {
        let (width, rows) =
            terminal_size::terminal_size().map_or((80, 24), |(width, rows)| (width.0, rows.0));
        console::aside(&self.drawing(stays, Timestamp::now(), usize::from(width), usize::from(rows)));
        self.drawn = Some(Instant::now());
    }

    fn drawing(&mut self, stays: &str, now: Timestamp, width: usize, rows: usize) -> String {
        // A line as wide as the terminal may wrap, and one more than its rows scroll away: neither could be taken back.
        let lines = self.board.lines(now, width.max(20) - 1, rows.max(3) - 1);
        // Up to the first line of the last one, and clear from there on.
        let mut text = if self.lines > 0 { format!("\x1b[{}A\r\x1b[J", self.lines) } else { String::new() };
        text.push_str(stays);
        lines.iter().for_each(|line| text.extend([line.as_str(), "\n"]));
        self.lines = lines.len();
        text
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

    #[test]
    fn each_drawing_takes_the_one_before_away() {
        let mut shown = Shown { board: Board::new(2), lines: 0, drawn: None };
        let (mut one, mut other) = (record(), record());
        (one.stage, one.stage_since) = (Stage::Firing, at(9.0));
        other.drill = "other".into();
        (other.stage, other.stage_since) = (Stage::Baseline, at(9.0));
        shown.board.update(&one);
        let first = shown.drawing("", at(10.0), 80, 24);
        assert_eq!(first, "0 of 2 drills done\nhigh-error-rate  firing      1.0 s of 6.0 s\n");
        shown.board.update(&other);
        let second = shown.drawing("", at(11.0), 80, 24);
        assert!(
            second.starts_with("\x1b[2A\r\x1b[J0 of 2 drills done\n") && second.lines().count() == 3,
            "{second:?}"
        );
        shown.board.finish(&one);
        let third = shown.drawing("high-error-rate: PROVEN\n", at(12.0), 80, 24);
        assert!(third.starts_with("\x1b[3A\r\x1b[Jhigh-error-rate: PROVEN\n1 of 2"), "{third:?}");
        shown.board.finish(&other);
        assert_eq!(shown.drawing("other: PROVEN\n", at(13.0), 80, 24), "\x1b[2A\r\x1b[Jother: PROVEN\n");
        assert_eq!(shown.drawing("", at(14.0), 80, 24), "", "nothing is left to take away");
    }
}
