//! The progress of a run of drills as a few terminal lines: a count of the finished drills, and one line per running
//! drill.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::record::case::Case;
use crate::record::judgement::Verdict;
use crate::record::stage::Stage;
use crate::report::table::shortened;
use crate::timing::clock::{readable, seconds};

/// The progress of a run.
#[derive(Debug, Default)]
pub struct Board {
    total: usize,
    done: BTreeMap<Verdict, usize>,
    /// Running drills, in the order they started.
    running: Vec<Running>,
}

/// A running drill.
#[derive(Debug, Clone, PartialEq)]
struct Running {
    drill: String,
    stage: Stage,
    since: Timestamp,
    bound: Option<f64>,
    waiting: Option<String>,
}

impl Board {
    /// A run of `total` drills.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self { total, ..Self::default() }
    }

    /// Updates a drill. Returns whether its stage has changed.
    pub fn update(&mut self, record: &Case) -> bool {
        let now = Running {
            drill: record.drill.clone(),
            stage: record.stage,
            since: record.stage_since,
            bound: record.stage_bound(),
            waiting: record.waiting.clone(),
        };
        match self.running.iter_mut().find(|running| running.drill == now.drill) {
            Some(running) => {
                let before = std::mem::replace(running, now);
                before.stage != running.stage
            }
            None => {
                self.running.push(now);
                true
            }
        }
    }

    /// Finishes a drill.
    pub fn finish(&mut self, record: &Case) {
        self.running.retain(|running| running.drill != record.drill);
        if let Some(judgement) = &record.judgement {
            *self.done.entry(judgement.verdict).or_default() += 1;
        }
    }

    /// At most `rows` lines of at most `width` characters; none when no drill is running.
    #[must_use]
    pub fn lines(&self, now: Timestamp, width: usize, rows: usize) -> Vec<String> {
        if self.running.is_empty() {
            return Vec::new();
        }
        let mut lines = Vec::new();
        if self.total > 1 {
            lines.push(self.count());
        }
        let names =
            self.running.iter().map(|going| shortened(&going.drill).chars().count()).max().unwrap_or(0);
        lines.extend(self.running.iter().map(|running| running.line(now, names)));
        if lines.len() > rows {
            let hidden = lines.len() - rows + 1;
            lines.truncate(rows.saturating_sub(1));
            lines.push(format!("… and {hidden} more"));
        }
        lines.into_iter().map(|line| line.chars().take(width).collect()).collect()
    }

    /// `12 of 44 drills done: 11 PROVEN, 1 LATE`.
    fn count(&self) -> String {
        let done: usize = self.done.values().sum();
        let each: Vec<_> =
            self.done.iter().map(|(verdict, count)| format!("{count} {}", verdict.name())).collect();
        let each = if each.is_empty() { String::new() } else { format!(": {}", each.join(", ")) };
        format!("{done} of {} drills done{each}", self.total)
    }
}

impl Running {
    /// `high-error-rate  firing     3.2 s of 6.0 s`.
    fn line(&self, now: Timestamp, names: usize) -> String {
        let name = shortened(&self.drill);
        let elapsed = readable(seconds(self.since, now).max(0.0));
        let bound = self.bound.map_or_else(String::new, |bound| format!(" of {}", readable(bound)));
        let waiting = self.waiting.as_ref().map_or_else(String::new, |it| format!(", waiting: {it}"));
        format!("{name:<names$}  {:<9}  {elapsed:>6}{bound}{waiting}", self.stage.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::tests::{at, record};

    #[test]
    fn lists_running_drills_and_counts_finished_ones() {
        let mut board = Board::new(44);
        assert!(board.lines(at(0.0), 79, 20).is_empty());
        let (mut one, mut other, done) = (record(), record(), record());
        other.drill = "alert-not-proven".into();
        (one.stage, one.stage_since) = (Stage::Firing, at(9.0));
        (other.stage, other.stage_since) = (Stage::Preflight, at(10.0));
        other.waiting = Some("HighErrorRate to resolve ".repeat(9));
        assert!(board.update(&one) && board.update(&other) && !board.update(&one));
        let lines = board.lines(at(12.2), 79, 20);
        assert_eq!(lines[..2], ["0 of 44 drills done", "high-error-rate   firing      3.2 s of 6.0 s"]);
        assert!(
            lines[2].starts_with("alert-not-proven  preflight   2.2 s, waiting: HighErrorRate to"),
            "{lines:?}"
        );
        assert_eq!((lines.len(), lines[2].chars().count()), (3, 79));

        (one.stage, one.stage_since) = (Stage::Notified, at(15.0));
        assert!(board.update(&one));
        board.finish(&done);
        assert_eq!(
            board.lines(at(16.0), 79, 20)[0],
            "1 of 44 drills done: 1 PROVEN",
            "the finished drill is removed"
        );
        assert_eq!(board.lines(at(16.0), 79, 20).len(), 2);
    }

    #[test]
    fn fits_a_small_terminal() {
        let mut board = Board::new(9);
        for number in 0..9 {
            let mut record = record();
            record.drill = format!("drill-{number}-{}", "x".repeat(60));
            board.update(&record);
        }
        let lines = board.lines(at(1.0), 40, 5);
        assert_eq!((lines.len(), lines[4].as_str()), (5, "… and 6 more"));
        assert!(lines.iter().all(|line| line.chars().count() <= 40), "{lines:?}");
        let alone = Board { total: 1, running: board.running[..1].to_vec(), ..Board::default() };
        assert_eq!(alone.lines(at(1.0), 79, 5).len(), 1, "a single drill has no count");
    }
}
