//! The drills of a run at one moment, as a few lines that fit a terminal: those that are done as a count, a line for each
//! that runs, on however many stacks.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::record::case::Case;
use crate::record::judgement::Verdict;
use crate::record::stage::Stage;
use crate::report::table::shortened;
use crate::timing::clock::{readable, seconds};

/// What is known of a run so far.
#[derive(Debug, Default)]
pub struct Board {
    total: usize,
    done: BTreeMap<Verdict, usize>,
    /// Those that run, in the order they were begun.
    going: Vec<Going>,
}

/// A drill that runs.
#[derive(Debug, Clone, PartialEq)]
struct Going {
    drill: String,
    stage: Stage,
    since: Timestamp,
    bound: Option<f64>,
    waiting: Option<String>,
}

impl Board {
    /// Of a run of so many drills.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self { total, ..Self::default() }
    }

    /// Takes over where a drill is; says whether it is in another stage than before.
    pub fn update(&mut self, record: &Case) -> bool {
        let now = Going {
            drill: record.drill.clone(),
            stage: record.stage,
            since: record.stage_since,
            bound: record.stage_bound(),
            waiting: record.waiting.clone(),
        };
        match self.going.iter_mut().find(|going| going.drill == now.drill) {
            Some(going) => {
                let before = std::mem::replace(going, now);
                before.stage != going.stage
            }
            None => {
                self.going.push(now);
                true
            }
        }
    }

    /// A drill has its verdict.
    pub fn finish(&mut self, record: &Case) {
        self.going.retain(|going| going.drill != record.drill);
        if let Some(judgement) = &record.judgement {
            *self.done.entry(judgement.verdict).or_default() += 1;
        }
    }

    /// At most `rows` lines of at most `width` characters; none when nothing runs.
    #[must_use]
    pub fn lines(&self, now: Timestamp, width: usize, rows: usize) -> Vec<String> {
        if self.going.is_empty() {
            return Vec::new();
        }
        let mut lines = Vec::new();
        if self.total > 1 {
            lines.push(self.count());
        }
        let names = self.going.iter().map(|going| shortened(&going.drill).chars().count()).max().unwrap_or(0);
        lines.extend(self.going.iter().map(|going| going.line(now, names)));
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

impl Going {
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
    fn what_runs_has_a_line_and_what_is_done_a_count() {
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
            "the one that had the same name no longer runs"
        );
        assert_eq!(board.lines(at(16.0), 79, 20).len(), 2);
    }

    #[test]
    fn a_small_terminal_is_not_overrun() {
        let mut board = Board::new(9);
        for number in 0..9 {
            let mut record = record();
            record.drill = format!("drill-{number}-{}", "x".repeat(60));
            board.update(&record);
        }
        let lines = board.lines(at(1.0), 40, 5);
        assert_eq!((lines.len(), lines[4].as_str()), (5, "… and 6 more"));
        assert!(lines.iter().all(|line| line.chars().count() <= 40), "{lines:?}");
        let alone = Board { total: 1, going: board.going[..1].to_vec(), ..Board::default() };
        assert_eq!(alone.lines(at(1.0), 79, 5).len(), 1, "one drill alone is not counted");
    }
}
